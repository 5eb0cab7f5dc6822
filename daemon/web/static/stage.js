// The stage: the artwork's colour behind it, a screen that stays on, dims, and never burns in.
"use strict";
(() => {
  const neuro = window.neuro;
  const DIM_AFTER_MS = 60000;
  const DRIFT_EVERY_MS = 60000;
  const DRIFT_PX = 14;

  neuro.fullScreen = () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();

  // Hue and strength of a picture, always dark enough for white words: 4.5:1 on the brightest place.
  const colourOf = (image) => {
    const small = document.createElement("canvas");
    small.width = small.height = 12;
    const pen = small.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0, 12, 12);
    const data = pen.getImageData(0, 0, 12, 12).data;
    let [x, y, strength] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = [data[i] / 255, data[i + 1] / 255, data[i + 2] / 255];
      const high = Math.max(r, g, b);
      const spread = high - Math.min(r, g, b);
      if (!spread) continue;
      const sixth = high === r ? ((g - b) / spread) % 6 : high === g ? (b - r) / spread + 2 : (r - g) / spread + 4;
      x += spread * Math.cos((sixth * Math.PI) / 3);
      y += spread * Math.sin((sixth * Math.PI) / 3);
      strength += spread;
    }
    const hue = Math.round((Math.atan2(y, x) * 180) / Math.PI + 360) % 360;
    return `${hue} ${Math.min(60, Math.round((strength / (data.length / 4)) * 140))}% 22%`;
  };

  neuro.stage = (id) => {
    const sheet = getHtmlElement(id);
    const stage = sheet.closest(".stage");
    const art = sheet.querySelector(".art");
    const image = art.querySelector("img");
    const light = () => {
      const drawn = image.naturalWidth > 1 && !image.classList.contains("missing");
      const own = getComputedStyle(art).getPropertyValue("--hue").trim() || "200";
      stage.style.setProperty("--lit", drawn ? colourOf(image) : `${own} 40% 20%`);
    };
    image.addEventListener("load", light);
    new MutationObserver(light).observe(art, { attributes: true, attributeFilter: ["style", "class"] });
    light();

    let dims = null;
    const wake = () => {
      stage.classList.remove("dim");
      clearTimeout(dims);
      dims = setTimeout(() => stage.classList.add("dim"), neuro.dimAfterMs ?? DIM_AFTER_MS);
    };
    for (const kind of ["pointermove", "pointerdown", "keydown"]) document.addEventListener(kind, wake);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.fullscreenElement) window.location.href = "/";
      if (event.key === "f") neuro.fullScreen();
    });
    wake();

    let turn = 0;
    neuro.drift = () => {
      turn += 2.4; // the golden angle: it comes back to no place
      const [x, y] = [DRIFT_PX * Math.cos(turn), DRIFT_PX * Math.sin(turn)];
      sheet.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    };
    setInterval(neuro.drift, DRIFT_EVERY_MS);

    const hold = async () => {
      if (document.visibilityState !== "visible") return;
      try {
        neuro.awake = await navigator.wakeLock?.request("screen"); // not given on a low battery
      } catch {
        neuro.awake = null;
      }
    };
    document.addEventListener("visibilitychange", hold);
    hold();
  };
})();
