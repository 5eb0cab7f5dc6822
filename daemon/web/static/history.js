// The lane of tracks in the history: bars with as much of their name as fits, and the reasons for the choices.
"use strict";
(() => {
  const neuro = window.neuro;
  const LEAST_ROOM_PX = 28;
  const PADDING_PX = 7;

  // ---- bars ---------------------------------------------------------------------------------------------
  neuro.bar = (params, api) => {
    const area = params.coordSys;
    const [left, top] = api.coord([api.value(0), 1]);
    const [right, bottom] = api.coord([api.value(1), 0]);
    const x = Math.max(left, area.x);
    const width = Math.min(right, area.x + area.width) - x;
    if (width <= 0) return null;
    const room = width - 2 * PADDING_PX;
    const bar = {
      type: "rect",
      shape: { x, y: top, width, height: bottom - top },
      style: { fill: api.visual("color") },
    };
    if (room < LEAST_ROOM_PX) return bar;
    // plain text: without "rich" nothing in it is read as markup
    const style = {
      text: api.style().text ?? "",
      fill: getComputedStyle(document.body).getPropertyValue("--ink").trim(),
      font: "12px Roboto, system-ui, sans-serif",
      width: room,
      overflow: "truncate",
      ellipsis: "…",
    };
    return {
      ...bar,
      textContent: { type: "text", silent: true, style },
      textConfig: { position: "insideLeft", distance: PADDING_PX },
    };
  };

  // ---- reasons ------------------------------------------------------------------------------------------
  // Braces would be read as places for styles; lines are broken by hand, for the tooltip knows no width.
  neuro.reason = (one) => {
    const { head = "", why = "" } = one.data ?? {};
    const length = Math.max(24, Math.min(56, Math.floor((window.innerWidth - 110) / 7)));
    const lines = [];
    for (const text of [head, why]) {
      let line = "";
      for (const word of text.replaceAll("{", "(").replaceAll("}", ")").match(/\S{1,24}\s*/g) ?? []) {
        if (line && (line + word).trimEnd().length > length) {
          lines.push(line.trimEnd());
          line = "";
        }
        line += word;
      }
      if (line) lines.push(line.trimEnd());
    }
    return lines.join("\n");
  };

  // ---- what a moment was like ---------------------------------------------------------------------------
  const valueAt = (data, at) => {
    let low = 0;
    let high = data.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (data[middle][0] <= at) low = middle + 1;
      else high = middle - 1;
    }
    const value = data[high]?.[1]; // it holds until the next one; where nothing was said there is a break
    return typeof value === "number" ? value.toFixed(2) : "–";
  };
  neuro.momentOf = (chart, at) => {
    const lines = chart.getOption().series.filter((one) => one.type === "line" && one.data?.some((point) => point[1] !== null));
    const clock = new Date(at).toLocaleTimeString(document.documentElement.lang || undefined);
    return [clock, ...lines.map((one) => `${one.name}  ${valueAt(one.data, at)}`)].join("\n");
  };
  neuro.moment = (params) => {
    const one = Array.isArray(params) ? params[0] : params;
    const place = document.querySelector(".history-chart");
    const chart = place && getElement(place.id.slice(1))?.chart;
    return chart && one ? neuro.momentOf(chart, one.axisValue ?? one.value?.[0]) : "";
  };

  const seriesOf = (chart, id) => {
    const all = chart.getOption().series;
    const index = all.findIndex((one) => one.id === id);
    return { index, data: all[index]?.data ?? [] };
  };
  // The zoom follows to a mark that lies outside of it.
  const bringIntoView = (chart, at) => {
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    if (at >= startValue && at <= endValue) return;
    const half = (endValue - startValue) / 2;
    chart.dispatchAction({ type: "dataZoom", startValue: at - half, endValue: at + half });
  };

  neuro.reasons = (id, saidId) =>
    neuro.whenChart(id, (chart) => {
      if (chart.neuroReasons) return;
      chart.neuroReasons = true;
      const element = getHtmlElement(id);
      const said = document.getElementById(saidId);
      const tell = (one) => (said.textContent = [one.head, one.why].filter(Boolean).join(" · "));
      let at = null;
      const choose = (place) => {
        const { index, data } = seriesOf(chart, "decisions");
        if (!data.length) return;
        at = Math.max(0, Math.min(data.length - 1, place));
        bringIntoView(chart, data[at].value[0]);
        tell(data[at]);
        chart.dispatchAction({ type: "showTip", seriesIndex: index, dataIndex: at });
      };
      chart.on("click", (event) => {
        if (event.seriesId === "decisions") choose(event.dataIndex);
        else if (event.seriesId === "tracks") tell(event.data);
      });
      element.addEventListener("keydown", (event) => {
        const last = seriesOf(chart, "decisions").data.length - 1;
        const places = { ArrowLeft: (at ?? last + 1) - 1, ArrowRight: (at ?? last) + 1, Home: 0, End: last };
        if (event.key in places) {
          choose(places[event.key]);
          event.preventDefault();
        } else if (event.key === "Escape") chart.dispatchAction({ type: "hideTip" });
      });
      element.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
    });
})();
