// Draws the course of a figure from the table that holds its numbers; without scripts there is the table.
(function () {
  "use strict";
  const HEIGHT_PX = 144;
  const LABEL_PX = 64;
  const WRITE = {
    share: (value) => `${Math.round(value * 100)} %`,
    seconds: (value) => `${value.toFixed(1)} s`,
    clock: (value) => `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`,
    count: (value) => value.toFixed(1),
    whole: (value) => String(Math.round(value)),
    score: (value) => (value > 0 ? "+" : value < 0 ? "\u2212" : "") + Math.abs(value).toFixed(1),
  };
  let drawn = [];

  // Where a number of its kind may have a line of the grid.
  const STEPS = {
    clock: [5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600],
    whole: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    seconds: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50],
  };

  function numbers(cells) {
    return cells.map((cell) => (cell.dataset.value ? Number(cell.dataset.value) : null));
  }

  function range(unit) {
    return (_plot, least, most) => {
      if (least === null) return [0, 1];
      const room = Math.max((most - least) * 0.15, unit === "share" ? 0.02 : 0.1);
      if (unit === "share") return [Math.max(least - room, 0), Math.min(most + room, 1)];
      if (unit === "score") return [Math.min(least - room, -1), Math.max(most + room, 1)];
      return [0, Math.max(most + room, unit === "count" || unit === "whole" ? 1 : 0)];
    };
  }

  // What people quote, as a band, or as a line where it is one number.
  function paintGuide(plot, figure, colours) {
    const { least, most } = figure.dataset;
    if (least === undefined && most === undefined) return;
    const { ctx, bbox } = plot;
    const edge = (value, otherwise) => {
      const y = value === undefined ? otherwise : plot.valToPos(Number(value), "y", true);
      return Math.min(Math.max(y, bbox.top), bbox.top + bbox.height);
    };
    const top = edge(most, bbox.top);
    const bottom = edge(least, bbox.top + bbox.height);
    const isLine = least === most;
    if (isLine && (Number(least) < plot.scales.y.min || Number(least) > plot.scales.y.max)) return;
    ctx.save();
    ctx.fillStyle = colours.guide;
    if (!isLine) ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    ctx.strokeStyle = colours.guideEdge;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    for (const y of isLine ? [top] : [top, bottom]) {
      if (y > bbox.top && y < bbox.top + bbox.height) {
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
      }
    }
    ctx.stroke();
    ctx.restore();
  }

  function colours() {
    const of = window.darwix.colour;
    return {
      own: of("--accent"),
      team: of("--text-3"),
      text: of("--text-3"),
      grid: of("--line"),
      surface: of("--surface"),
      guide: of("--good-soft"),
      guideEdge: of("--good"),
    };
  }

  function draw(figure, rows) {
    const box = figure.querySelector("[data-canvas]");
    const readout = figure.querySelector("[data-readout]");
    const key = figure.dataset.chart;
    const write = WRITE[figure.dataset.unit];
    const labels = rows.map((row) => row.querySelector("th").textContent);
    const ownCells = rows.map((row) => row.querySelector(`[data-own="${key}"]`));
    const teamCells = rows.map((row) => row.querySelector(`[data-team="${key}"]`));
    const own = numbers(ownCells);
    const team = numbers(teamCells);
    const paint = colours();

    function tell(plot) {
      const at = plot.cursor.idx ?? own.findLastIndex((value) => value !== null);
      if (at < 0) return;
      readout.textContent = `${labels[at]}: ${ownCells[at].textContent}, team ${teamCells[at].textContent}`;
    }

    const axis = { stroke: paint.text, font: "11px system-ui, sans-serif", ticks: { show: false } };
    const plot = new window.uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        padding: [6, 26, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, sync: { key: "darwix" }, points: { size: 8 } },
        scales: { x: { time: false, range: [-0.25, labels.length - 0.75] }, y: { range: range(figure.dataset.unit) } },
        axes: [
          {
            ...axis,
            size: 24,
            gap: 4,
            grid: { show: false },
            splits: (at) => shownPlaces(labels.length, at.bbox.width / devicePixelRatio),
            values: (_plot, places) => places.map((place) => labels[place]),
          },
          {
            ...axis,
            size: 46,
            gap: 4,
            space: 24,
            ...(STEPS[figure.dataset.unit] && { incrs: STEPS[figure.dataset.unit] }),
            grid: { stroke: paint.grid, width: 1 },
            values: (_plot, values) => values.map(write),
          },
        ],
        series: [
          {},
          { stroke: paint.team, width: 1.5, dash: [4, 4], points: { size: 3, fill: paint.team } },
          { stroke: paint.own, width: 2, points: { show: true, size: 5, fill: paint.surface, stroke: paint.own } },
        ],
        hooks: { drawClear: [(at) => paintGuide(at, figure, paint)], setCursor: [tell] },
      },
      [labels.map((_label, place) => place), team, own],
      box,
    );
    tell(plot);
    drawn.push({ plot, box });
  }

  // As many places as there is room for their labels, the last one among them.
  function shownPlaces(count, widthPx) {
    const step = Math.max(Math.ceil((count * LABEL_PX) / widthPx), 1);
    const places = [];
    for (let place = count - 1; place >= 0; place -= step) places.unshift(place);
    return places;
  }

  function drawAll() {
    for (const { plot } of drawn) plot.destroy();
    drawn = [];
    for (const charts of document.querySelectorAll("[data-charts]")) {
      const rows = [...document.getElementById(charts.dataset.charts).tBodies[0].rows];
      for (const figure of charts.querySelectorAll("[data-chart]")) draw(figure, rows);
    }
  }

  function fit() {
    for (const { plot, box } of drawn) {
      if (plot.width !== box.clientWidth) plot.setSize({ width: box.clientWidth, height: HEIGHT_PX });
    }
  }

  function foldNumbers() {
    for (const details of document.querySelectorAll("details.periods")) details.open = false;
  }

  addEventListener("resize", fit);
  document.addEventListener("darwix:theme", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.detail.elt.querySelector?.("[data-charts]")) return;
    foldNumbers();
    drawAll();
  });
  foldNumbers();
  drawAll();
})();
