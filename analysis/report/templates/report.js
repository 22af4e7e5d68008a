// The crosshair: one instant on all charts, with its values in the legends. The page is complete without it.
"use strict";
(() => { // half a phase's name is another name: where it has no room its tooltip tells it
  const names = [...document.querySelectorAll(".phase-name > text")];
  const fit = () => names.forEach((name) =>
    name.classList.toggle("cut", name.getBBox().width + 5 > name.ownerSVGElement.getBoundingClientRect().width));
  window.addEventListener("resize", fit);
  fit();
})();
(() => {
  const charts = document.querySelector(".axis");
  const read = JSON.parse(document.getElementById("readout").textContent);
  if (!charts || !read.values) return;
  document.documentElement.classList.add("scripted");
  const told = [...document.querySelectorAll("[data-trace]")];
  const usual = told.map((place) => place.textContent);
  const crosses = document.querySelectorAll(".cross");
  const now = document.querySelector(".now");
  const plane = document.querySelector(".strip > svg");
  const points = Math.max(...read.values.map((series) => series.length));

  const figure = (value) =>
    value.toLocaleString("en-US", { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3 });
  const clock = (seconds) => {
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };

  let shown = -1;
  const show = (point) => {
    shown = point;
    const seconds = point * read.step;
    const at = `${Math.min(100, (100 * (seconds + read.step / 2)) / read.length)}%`;
    for (const cross of crosses) {
      cross.setAttribute("x1", at);
      cross.setAttribute("x2", at);
    }
    now.setAttribute("x", at);
    now.textContent = `${clock(seconds)} · ${new Date(1000 * (read.start + seconds)).toISOString().slice(11, 19)} UTC`;
    told.forEach((place, index) => {
      const value = read.values[index][point];
      place.textContent = value == null ? "not seen" : `${figure(value)} ${read.units[index]}`;
    });
    document.documentElement.classList.add("reading");
  };
  const rest = () => {
    shown = -1;
    told.forEach((place, index) => { place.textContent = usual[index]; });
    document.documentElement.classList.remove("reading");
  };
  const follow = (event) => {
    const box = plane.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    if (share < 0 || share > 1) rest();
    else show(Math.min(points - 1, Math.floor((share * read.length) / read.step)));
  };
  charts.addEventListener("pointermove", follow);
  charts.addEventListener("pointerdown", follow);
  charts.tabIndex = 0;
  charts.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") rest();
    if (!by) return;
    event.preventDefault();
    show(Math.min(points - 1, Math.max(0, shown + by * (event.shiftKey ? 10 : 1))));
  });
  charts.addEventListener("pointerleave", rest);
  window.addEventListener("beforeprint", rest);
})();
