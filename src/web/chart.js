// SPDX-License-Identifier: Apache-2.0
// The course of a migration over time: what remains, how fast it is sent and changed, the limit of
// the pause, each decision as a mark, and the forecast as a band behind. The same numbers stand in
// tables beside it, so that nobody needs the picture.
import { h } from "./dom.js";
import { bytes, ms, rate } from "./format.js";
import uPlot from "./vendor/uplot.js";

const SERIES = [
  { key: "remainingBytes", label: "Remaining", scale: "bytes", color: "--series-a", say: bytes },
  { key: "rateBytesPerSecond", label: "Rate", scale: "rate", color: "--series-b", say: rate },
  { key: "dirtyRateBytesPerSecond", label: "Dirty rate", scale: "rate", color: "--series-c", say: rate },
  { key: "limitMs", label: "Limit of the pause", scale: "ms", color: "--series-d", say: ms },
];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "gray";
}

// What is drawn below and above the lines: the band in which the end was expected, and the marks.
function drawing(state) {
  return {
    hooks: {
      drawClear: [plot => {
        const [from, to] = state.band ?? [];
        if (from === undefined)
          return;
        const left = plot.valToPos(from / 1000, "x", true);
        const right = to === undefined ? plot.bbox.left + plot.bbox.width : plot.valToPos(to / 1000, "x", true);
        plot.ctx.save();
        plot.ctx.fillStyle = color("--band");
        plot.ctx.fillRect(left, plot.bbox.top, Math.max(2, right - left), plot.bbox.height);
        plot.ctx.restore();
      }],
      draw: [plot => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = color("--mark");
        ctx.setLineDash([4, 4]);
        for (const mark of state.marks) {
          const x = plot.valToPos(mark / 1000, "x", true);
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
        ctx.restore();
      }],
    },
  };
}

function axis(scale, say, side, grid) {
  return {
    scale, side, size: 86, stroke: color("--text"), grid: { show: grid, stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") },
    values: (_, values) => values.map(v => v === null ? "" : say(v)),
  };
}

export function courseChart() {
  const holder = h("div", { class: "chart", role: "img", "aria-label": "The course of the migration over time; the table below has the same numbers" });
  const state = { marks: [], band: null };
  let plot = null;

  function build(width) {
    plot?.destroy();
    plot = new uPlot({
      width, height: Math.max(220, Math.min(380, width * 0.45)),
      legend: { live: true }, cursor: { drag: { x: true, y: false } }, plugins: [drawing(state)],
      scales: { x: { time: false }, bytes: { range: (_, __, max) => [0, max || 1] }, rate: { range: (_, __, max) => [0, max || 1] }, ms: { range: (_, __, max) => [0, max || 1] } },
      axes: [
        { scale: "x", stroke: color("--text"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") }, values: (_, values) => values.map(v => `${v} s`) },
        axis("bytes", bytes, 3, true), axis("rate", rate, 1, false),
      ],
      series: [{ label: "Time", value: (_, v) => v === null ? "" : ms(v * 1000) }, ...SERIES.map(s => ({
        label: s.label, scale: s.scale, stroke: color(s.color), width: 2, spanGaps: true, points: { show: false }, value: (_, v) => v === null ? "" : s.say(v),
      }))],
    }, [[], ...SERIES.map(() => [])], holder);
  }

  const resized = new ResizeObserver(() => {
    const width = Math.floor(holder.clientWidth);
    if (width > 0 && Math.abs((plot?.width ?? 0) - width) > 2) {
      build(width);
      paint();
    }
  });
  resized.observe(holder);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const recolor = () => {
    if (plot) {
      build(plot.width);
      paint();
    }
  };
  dark.addEventListener("change", recolor);

  let rows = [];
  function paint() {
    plot?.setData([rows.map(r => r.elapsedMs / 1000), ...SERIES.map(s => rows.map(r => r[s.key] ?? null))]);
  }

  return {
    element: holder,
    // rows by time; marks: ms of the decisions; band: [ms, ms] in which the end was expected
    set(course, marks, band) {
      rows = course;
      state.marks = marks;
      state.band = band;
      paint();
    },
    close() {
      resized.disconnect();
      dark.removeEventListener("change", recolor);
      plot?.destroy();
    },
  };
}
