"use strict";
(function () {
  var PAGE = window.matchMedia("(max-width: 919px)").matches ? 20 : 50;
  var root = document.documentElement;

  function byId(id) { return document.getElementById(id); }

  /* ---- light and dark ---- */
  var modes = ["auto", "light", "dark"];
  var theme = byId("theme");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    var next = modes[(modes.indexOf(theme.dataset.mode) + 1) % modes.length];
    theme.dataset.mode = next;
    theme.textContent = "Colours: " + next;
    if (next === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", next);
  });

  /* ---- the table of plans ---- */
  var table = byId("plans");
  if (!table) return;
  var body = table.tBodies[0];
  var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
  var rows = Array.prototype.slice.call(body.rows).map(function (tr, at) {
    var keys = Array.prototype.map.call(tr.cells, function (td) {
      return td.hasAttribute("data-v") ? td.dataset.v : td.textContent;
    });
    return { tr: tr, at: at, keys: keys, text: tr.textContent.toLowerCase() };
  });
  var text = byId("find"), knob = byId("by-knob"), node = byId("by-node");
  var ack = byId("by-ack"), sort = byId("sort"), turn = byId("turn");
  var status = byId("status"), more = byId("more");
  var state = { column: -1, down: false, limit: PAGE };

  function compare(a, b) {
    var x = a.keys[state.column], y = b.keys[state.column];
    if (x === "" || y === "") return x === y ? a.at - b.at : x === "" ? 1 : -1;
    var order = heads[state.column].dataset.kind === "number" ? x - y
      : x.localeCompare(y, "en", { numeric: true });
    return (state.down ? -order : order) || a.at - b.at;
  }

  function wanted(row) {
    var data = row.tr.dataset;
    return (!knob.value || data.knob === knob.value) &&
      (!node.value || data.node === node.value.slice(1)) &&
      (!ack.value || data.ack === ack.value) &&
      (!text.value || row.text.indexOf(text.value.toLowerCase()) >= 0);
  }

  function draw() {
    var found = rows.filter(wanted);
    if (state.column >= 0) found.sort(compare);
    var shown = found.slice(0, state.limit);
    body.replaceChildren.apply(body, shown.map(function (r) { return r.tr; }));
    status.textContent = found.length + " of " + rows.length + " plans" +
      (shown.length < found.length ? ", " + shown.length + " shown" : "");
    more.hidden = shown.length === found.length;
    more.textContent = "Show " + Math.min(PAGE, found.length - shown.length) + " more";
    heads.forEach(function (th, i) {
      th.setAttribute("aria-sort", i !== state.column ? "none"
        : state.down ? "descending" : "ascending");
    });
    sort.value = String(state.column);
    turn.textContent = state.down ? "descending" : "ascending";
  }

  function sortBy(column, down) {
    state.column = column;
    state.down = down;
    draw();
  }

  heads.forEach(function (th, i) {
    th.querySelector("button").addEventListener("click", function () {
      sortBy(i, i === state.column && !state.down);
    });
  });
  sort.addEventListener("change", function () { sortBy(Number(sort.value), false); });
  turn.addEventListener("click", function () {
    sortBy(Math.max(state.column, 0), !state.down);
  });
  [text, knob, node, ack].forEach(function (control) {
    control.addEventListener(control === text ? "input" : "change", function () {
      state.limit = PAGE;
      draw();
    });
  });
  byId("clear").addEventListener("click", function () {
    text.value = knob.value = node.value = ack.value = "";
    state.limit = PAGE;
    sortBy(-1, false);
    text.focus();
  });
  more.addEventListener("click", function () {
    state.limit += PAGE;
    draw();
  });
  byId("tools").hidden = false;
  draw();
})();
