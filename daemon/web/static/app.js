// What must happen in the browser itself: noticing that the server is gone, the theme, touching the plane,
// and scrolling EEG. Everything else is done by NiceGUI's elements.
"use strict";
(() => {
  const neuro = (window.neuro = {});
  const LOST_AFTER_S = 3;
  const FIRST_AFTER_S = 8; // a slow device may take so long to draw the page and connect
  const ATTEMPT_MS = 10000;

  // ---- the server is gone -------------------------------------------------------------------------------
  let lostSince = null;
  let everConnected = false;
  setInterval(() => {
    const banner = document.getElementById("neuro-lost");
    if (!banner) return;
    const connected = Boolean(window.socket && window.socket.connected);
    everConnected = everConnected || connected;
    if (connected) {
      lostSince = null;
      banner.classList.remove("shown");
      document.body.classList.remove("neuro-lost");
      return;
    }
    lostSince = lostSince ?? Date.now();
    const seconds = Math.round((Date.now() - lostSince) / 1000);
    if (seconds < (everConnected ? LOST_AFTER_S : FIRST_AFTER_S)) return;
    const text = banner.dataset.text.replace("{seconds}", String(seconds));
    // spoken once, then only the number changes silently
    if (!banner.classList.contains("shown")) banner.setAttribute("aria-label", text);
    banner.firstElementChild.textContent = text;
    banner.classList.add("shown");
    document.body.classList.add("neuro-lost");
  }, 500);

  // NiceGUI reloads the page when an attempt to connect has timed out. With the server out of reach that ends
  // on the browser's own error page, from which nothing comes back. So: no reload before the server answers,
  // and an attempt that hangs is dropped, so that the next one is made.
  const keepTrying = () => {
    const socket = window.socket;
    if (!socket) return setTimeout(keepTrying, 50);
    socket.off("connect_error");
    socket.on("connect_error", (error) => {
      if (error.message === "Implicit handshake failed") window.location.reload();
    });
    socket.io.timeout(ATTEMPT_MS);
  };
  keepTrying();

  // ---- theme --------------------------------------------------------------------------------------------
  const MODES = ["auto", "light", "dark"];
  const mode = () => {
    const stored = localStorage.getItem("neuroplayer-theme");
    return MODES.includes(stored) ? stored : "auto";
  };
  const isDark = () => document.body.classList.contains("body--dark");
  const applyTheme = () => setDark({ auto: null, light: false, dark: true }[mode()]);
  const tellTheme = () => {
    document.cookie = `neuroplayer_dark=${isDark() ? 1 : 0}; path=/; SameSite=Strict; max-age=31536000`;
    emitEvent("neuro_theme", { dark: isDark(), mode: mode() });
  };
  neuro.cycleTheme = () => {
    localStorage.setItem("neuroplayer-theme", MODES[(MODES.indexOf(mode()) + 1) % MODES.length]);
    applyTheme();
    setTimeout(tellTheme, 50);
  };
  // ---- language -----------------------------------------------------------------------------------------
  neuro.language = (code) => {
    document.cookie = `neuroplayer_language=${code}; path=/; SameSite=Strict; max-age=31536000`;
    window.location.reload();
  };

  // An app on a home screen: what it shows when the machine cannot be reached comes from the browser itself.
  navigator.serviceWorker?.register("/offline.js").catch(() => null); // not where the page comes without TLS

  neuro.start = (language, lost) => {
    document.documentElement.lang = language;
    document.getElementById("neuro-lost").dataset.text = lost;
    applyTheme();
    let dark = isDark();
    new MutationObserver(() => {
      if (isDark() === dark) return;
      dark = isDark();
      tellTheme();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    setTimeout(tellTheme, 50);
  };

  // What is wrong stands in one line; a touch, Enter or Escape shows all of it or folds it again.
  neuro.unfold = (event) => {
    const place = event.currentTarget;
    if (event.type === "keydown" && !["Enter", " ", "Escape"].includes(event.key)) return;
    place.classList.toggle("open", event.key === "Escape" ? false : undefined);
    if (event.type === "keydown") event.preventDefault();
  };

  // On the session's page the music has a card of its own: the small player waits until that has gone.
  neuro.miniPlayer = (id) => {
    const card = document.querySelector(".area-music .controls");
    new IntersectionObserver(([seen]) =>
      getHtmlElement(id).classList.toggle("mini-waits", seen.isIntersecting),
    ).observe(card);
  };

  const CHART_TRIES = 2400; // a minute: a slow device that draws a page takes its time
  const whenChart = (neuro.whenChart = (id, act, tries = CHART_TRIES) => {
    const chart = getElement(id)?.chart;
    if (chart) act(chart);
    else if (tries > 0) setTimeout(() => whenChart(id, act, tries - 1), 25);
  });

  // A slider goes where the player is, but not while it is being dragged: letting go of it will say where.
  neuro.follow = (id, value) => {
    const slider = getHtmlElement(id);
    if (slider && !slider.matches(":active")) slider.value = value;
  };

  // ---- the plane ----------------------------------------------------------------------------------------
  const bounded = (value) => Math.max(-1, Math.min(1, Math.round(value * 100) / 100));
  // A mouse may drag from anywhere. A finger drags from the target alone, or the page could not be scrolled.
  const NEAR_PX = 34;
  const dragging = (chart, element, at, cursor) => {
    const place = (event) => {
      const box = element.getBoundingClientRect();
      return chart.convertFromPixel("grid", [event.clientX - box.left, event.clientY - box.top]);
    };
    const near = (event) => {
      const target = chart.getOption().series.find((one) => one.id === "target")?.data?.[0];
      if (!target) return false;
      const box = element.getBoundingClientRect();
      const [x, y] = chart.convertToPixel("grid", target.value ?? target);
      return Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y) < NEAR_PX;
    };
    let held = null;
    const move = (event) => {
      const [x, y] = place(event);
      at.valence = bounded(x);
      at.arousal = bounded(y);
      cursor(true);
    };
    element.addEventListener("pointerdown", (event) => {
      const [x, y] = place(event);
      if (!event.isPrimary || event.button || Math.abs(x) > 1.04 || Math.abs(y) > 1.04) return;
      held = { x: event.clientX, y: event.clientY, drags: event.pointerType === "mouse" || near(event) };
      if (held.drags) element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("touchmove", (event) => held?.drags && event.preventDefault(), { passive: false });
    element.addEventListener("pointermove", (event) => held?.drags && move(event));
    element.addEventListener("pointercancel", () => {
      held = null;
      cursor(false);
    });
    element.addEventListener("pointerup", (event) => {
      const touched = held && (held.drags || Math.hypot(event.clientX - held.x, event.clientY - held.y) < 12);
      held = null;
      cursor(false);
      if (!touched) return;
      move(event);
      cursor(false);
      emitEvent("neuro_target", { ...at });
    });
  };
  neuro.plane = (id) =>
    whenChart(id, (chart) => {
      if (chart.neuroReady) return;
      chart.neuroReady = true;
      const element = getHtmlElement(id);
      const at = { valence: 0, arousal: 0 };
      const cursor = (shown) =>
        chart.setOption({
          series: [{ id: "cursor", data: shown ? [[at.valence, at.arousal]] : [] }],
        });
      dragging(chart, element, at, cursor);
      element.addEventListener("keydown", (event) => {
        const step = event.shiftKey ? 0.25 : 0.1;
        const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
        const move = moves[event.key];
        if (move) {
          at.valence = bounded(at.valence + move[0]);
          at.arousal = bounded(at.arousal + move[1]);
          cursor(true);
          event.preventDefault();
        } else if (event.key === "Enter" || event.key === " ") {
          emitEvent("neuro_target", { ...at });
          event.preventDefault();
        } else if (event.key === "Escape") cursor(false);
      });
      element.addEventListener("blur", () => cursor(false));
    });

  // The area of uncertainty: an ellipse, or a band across the plane where valence is not known.
  neuro.uncertainty = (params, api) => {
    const [valence, arousal, spreadValence, spreadArousal, known] = [0, 1, 2, 3, 4].map((d) => api.value(d));
    const top = Math.min(1, arousal + spreadArousal);
    const bottom = Math.max(-1, arousal - spreadArousal);
    if (!known) {
      const [left, up] = api.coord([-1, top]);
      const [right, down] = api.coord([1, bottom]);
      return { type: "rect", shape: { x: left, y: up, width: right - left, height: down - up }, style: api.style() };
    }
    const [cx, cy] = api.coord([valence, arousal]);
    const [width, height] = api.size([spreadValence, spreadArousal]);
    const grid = params.coordSys;
    return {
      type: "ellipse",
      shape: { cx, cy, rx: width, ry: height },
      style: api.style(),
      clipPath: { type: "rect", shape: { x: grid.x, y: grid.y, width: grid.width, height: grid.height } },
    };
  };

  // ---- live EEG -----------------------------------------------------------------------------------------
  const traces = new Map();
  neuro.eeg = (id, piece) =>
    whenChart(id, (chart) => {
      let trace = traces.get(id);
      if (!trace || trace.number !== piece.number) {
        trace = { number: piece.number, rows: piece.channels.map(() => []), scale: piece.scale };
        traces.set(id, trace);
        chart.setOption({ series: piece.channels.map((_, i) => ({ id: `eeg${i}`, data: [] })) });
      }
      trace.scale = piece.scale;
      const length = Math.round(piece.seconds * piece.rate);
      trace.rows = trace.rows.map((row, i) => row.concat(piece.tenths[i] ?? []).slice(-length));
      drawEeg(chart, trace, piece, length);
    });
  const drawEeg = (chart, trace, piece, length) => {
    const lanes = trace.rows.length;
    const width = chart.getWidth();
    // two points a pixel column are all that can be seen
    const stride = Math.max(1, Math.floor(length / width));
    const series = trace.rows.map((row, lane) => {
      const data = [];
      const first = length - row.length;
      for (let i = (stride - (first % stride)) % stride; i < row.length; i += stride) {
        const value = Math.max(-0.95, Math.min(0.95, row[i] / 10 / trace.scale));
        data.push([(first + i) / piece.rate - piece.seconds, lanes - 1 - lane + value / 2]);
      }
      return { id: `eeg${lane}`, data };
    });
    chart.setOption({
      yAxis: {
        min: -1,
        max: lanes,
        interval: 1,
        axisLabel: { formatter: (value) => piece.channels[lanes - 1 - Math.round(value)] ?? "" },
      },
      series,
    });
  };

  // ---- pictures -----------------------------------------------------------------------------------------
  // What is taken away says by itself what it is: a title above, and no handles that nobody can move there.
  const TITLE_PX = 44;
  neuro.png = (id, name, title) =>
    whenChart(id, (chart) => {
      const colour = (which) => getComputedStyle(document.body).getPropertyValue(which).trim();
      const scale = 2;
      const drawn = new Image();
      drawn.onload = () => {
        const sheet = document.createElement("canvas");
        sheet.width = drawn.width;
        sheet.height = drawn.height + TITLE_PX * scale;
        const pen = sheet.getContext("2d");
        pen.fillStyle = colour("--card");
        pen.fillRect(0, 0, sheet.width, sheet.height);
        pen.fillStyle = colour("--ink");
        pen.font = `600 ${16 * scale}px Roboto, system-ui, sans-serif`;
        pen.textBaseline = "middle";
        pen.fillText(title, 16 * scale, (TITLE_PX * scale) / 2, sheet.width - 32 * scale);
        pen.drawImage(drawn, 0, TITLE_PX * scale);
        const link = document.createElement("a");
        link.href = sheet.toDataURL("image/png");
        link.download = name;
        link.click();
      };
      drawn.src = chart.getDataURL({
        type: "png",
        pixelRatio: scale,
        backgroundColor: colour("--card"),
        excludeComponents: ["dataZoom", "toolbox"],
      });
    });
  neuro.wholeChart = (id) =>
    whenChart(id, (chart) => chart.dispatchAction({ type: "dataZoom", start: 0, end: 100 }));
})();
