"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const data = JSON.parse(one("data").textContent);
  const say = (text) => { one("said").textContent = text; };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const each of all(".tools, .help, #theme")) each.hidden = false;

  // ---- light and dark ----
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = one("theme");
  const shade = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const tell = () => theme.setAttribute("aria-pressed", String(shade() === "dark"));
  let kept = null;
  try { kept = localStorage.getItem("convsize-theme"); } catch { /* a page from a file may have no storage */ }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  theme.addEventListener("click", () => {
    const next = shade() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try { localStorage.setItem("convsize-theme", next); } catch { /* then it holds for this visit */ }
    tell();
  });
  dark.addEventListener("change", tell);
  tell();

  // ---- explanations ----
  const tip = one("tip");
  let owner = null;
  const textOf = (element) => element.dataset.x ? data.texts[element.dataset.x] : element.getAttribute("aria-label");
  const hide = () => {
    if (owner) owner.removeAttribute("aria-describedby");
    owner = null;
    tip.hidden = true;
  };
  const show = (element) => {
    if (element === owner) return;
    hide();
    tip.textContent = textOf(element);
    tip.hidden = false;
    owner = element;
    if (element.dataset.x) element.setAttribute("aria-describedby", "tip");
    place();
  };
  const place = () => {
    const at = owner.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const below = at.bottom + 6;
    tip.style.left = `${Math.max(4, Math.min(at.left, innerWidth - size.width - 4))}px`;
    tip.style.top = `${below + size.height < innerHeight ? below : Math.max(4, at.top - size.height - 6)}px`;
  };
  const explained = "[data-x], .point, .diagram .node[aria-label]";
  document.addEventListener("pointerover", (event) => {
    const element = event.target.closest(explained);
    if (element) show(element);
    else if (owner && event.target !== tip && owner !== document.activeElement) hide();
  });
  document.addEventListener("focusin", (event) => {
    const element = event.target.closest(explained);
    if (element) show(element); else hide();
  });
  document.addEventListener("scroll", () => {
    if (owner && owner === document.activeElement) place(); else hide();
  }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // One stop for Tab in each table, chart and diagram; arrow keys go on inside.
  const rove = (root, items, step) => {
    let current = items()[0];
    const take = (element, focus) => {
      if (!element) return;
      if (current) current.tabIndex = -1;
      current = element;
      current.tabIndex = 0;
      if (focus) current.focus({ preventScroll: false });
    };
    take(current, false);
    root.addEventListener("focusin", (event) => {
      if (items().includes(event.target)) take(event.target, false);
    });
    root.addEventListener("keydown", (event) => {
      if (event.target !== current || event.ctrlKey || event.metaKey || event.altKey) return;
      const next = step(current, event.key);
      if (next) { event.preventDefault(); take(next, true); }
    });
  };
  const along = (items) => (current, key) => {
    const list = items();
    const at = list.indexOf(current);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[key];
    return list[to];
  };
  const press = (root, act) => {
    root.addEventListener("click", act);
    root.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { act(event); if (event.defaultPrevented) return; event.preventDefault(); }
    });
  };

  // ---- the table ----
  const table = one("table");
  const body = table && table.tBodies[0];
  const rows = body ? [...body.rows] : [];
  const value = (cell) => {
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent;
    return /^[\d,]+$/.test(text) ? Number(text.replaceAll(",", "")) : text;
  };
  const sort = (head) => {
    const column = head.cellIndex;
    const number = head.classList.contains("n");
    const before = head.getAttribute("aria-sort");
    const [first, second] = number ? ["descending", "ascending"] : ["ascending", "descending"];
    const order = before === null ? first : before === first ? second : null;
    for (const each of all("thead th", table)) each.removeAttribute("aria-sort");
    let list = rows;
    if (order) {
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const keys = new Map(rows.map((row) => [row, value(row.cells[column])]));
      list = [...rows].sort((a, b) => {
        const [x, y] = [keys.get(a), keys.get(b)];
        return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true }));
      });
    }
    body.append(...list);
    say(order ? `sorted by ${head.textContent}, ${order}` : "in the order of the spec");
  };

  // ---- the diagram ----
  const diagram = document.querySelector(".diagram");
  const drawing = diagram && diagram.querySelector("svg");
  const nodes = drawing ? all(".node", drawing).filter((node) => data.nodes[node.id]) : [];
  const chosen = (elements) => {
    for (const each of all(".chosen")) each.classList.remove("chosen");
    for (const each of elements) each.classList.add("chosen");
  };
  const rowOf = (index) => one(`row-${index}`);
  const nodeOf = (row) => nodes
    .filter((node) => data.nodes[node.id].rows.includes(Number(row.id.slice(4))))
    .sort((a, b) => data.nodes[a.id].rows.length - data.nodes[b.id].rows.length)[0];
  const into = (element) => element.scrollIntoView({ block: "center", inline: "nearest", behavior: still ? "auto" : "smooth" });
  const reveal = (row) => {
    if (row.hidden) { one("search").value = ""; search(); }
    into(row);
    const cell = row.cells[0];
    cell.tabIndex = -1;
    cell.focus({ preventScroll: true });
  };
  const chooseNode = (node) => {
    const list = data.nodes[node.id].rows.map(rowOf).filter(Boolean);
    chosen([node, ...list]);
    if (list.length) reveal(list[0]);
    say(`${list.length} layers chosen`);
  };
  const chooseRow = (row) => {
    const node = nodeOf(row);
    chosen(node ? [row, node] : [row]);
    if (node) { centre(node); into(diagram); node.focus({ preventScroll: true }); }
  };

  let view = null;
  let centre = () => {};
  if (drawing) {
    const box = drawing.viewBox.baseVal;
    const whole = { x: box.x, y: box.y, width: box.width, height: box.height };
    drawing.removeAttribute("width");
    drawing.removeAttribute("height");
    drawing.setAttribute("preserveAspectRatio", "xMidYMin meet");
    const apply = () => {
      // A corner of the drawing always stays in sight.
      view.x = Math.min(Math.max(view.x, whole.x - view.width * 0.8), whole.x + whole.width - view.width * 0.2);
      view.y = Math.min(Math.max(view.y, whole.y - view.height * 0.8), whole.y + whole.height - view.height * 0.2);
      drawing.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    };
    const shape = () => diagram.clientHeight / diagram.clientWidth;
    const fit = (kind) => {
      // Letters are 10 units high in the drawing: larger than on the page they need not be.
      const width = kind === "all" ? Math.max(whole.width, whole.height / shape()) : Math.max(whole.width, diagram.clientWidth / 1.5);
      view = { x: whole.x - (width - whole.width) / 2, y: whole.y, width, height: width * shape() };
      apply();
    };
    const scale = (factor, x = 0.5, y = 0.5) => {
      const width = Math.min(Math.max(view.width / factor, 60), Math.max(whole.width, whole.height) * 4);
      const height = width * shape();
      view = { x: view.x + (view.width - width) * x, y: view.y + (view.height - height) * y, width, height };
      apply();
    };
    centre = (node) => {
      const at = node.getBoundingClientRect();
      const here = diagram.getBoundingClientRect();
      const factor = view.width / here.width;
      view.x += (at.x + at.width / 2 - here.x - here.width / 2) * factor;
      view.y += (at.y + at.height / 2 - here.y - here.height / 2) * factor;
      apply();
    };
    // A short drawing takes no more room than it needs; the style sheet says how much it may take.
    diagram.style.height = `${Math.ceil(whole.height * Math.min(1.5, diagram.clientWidth / whole.width)) + 4}px`;
    fit("width");
    addEventListener("resize", () => { view.height = view.width * shape(); apply(); });
    addEventListener("beforeprint", () => drawing.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`));
    addEventListener("afterprint", apply);
    for (const button of all("[data-zoom]")) {
      button.addEventListener("click", () => {
        const kind = button.dataset.zoom;
        if (kind === "width" || kind === "all") fit(kind); else scale(Number(kind));
      });
    }
    diagram.addEventListener("wheel", (event) => {
      const here = diagram.getBoundingClientRect();
      if (event.ctrlKey) {
        scale(Math.exp(-event.deltaY / 200), (event.clientX - here.x) / here.width, (event.clientY - here.y) / here.height);
        event.preventDefault();
        return;
      }
      // At its ends the drawing lets the page scroll.
      const { x, y } = view;
      const factor = view.width / here.width;
      const [low, high] = [whole.y, Math.max(whole.y, whole.y + whole.height - view.height)];
      view.x += event.deltaX * factor;
      view.y = Math.min(Math.max(view.y + event.deltaY * factor, Math.min(low, y)), Math.max(high, y));
      apply();
      if (view.x !== x || view.y !== y) event.preventDefault();
    }, { passive: false });
    const fingers = new Map();
    let moved = 0;
    diagram.addEventListener("pointerdown", (event) => { fingers.set(event.pointerId, event); moved = 0; });
    addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const here = diagram.getBoundingClientRect();
      const factor = view.width / here.width;
      if (fingers.size === 2) {
        const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
        const far = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
        scale(far(event) / Math.max(far(before), 1), (other.clientX - here.x) / here.width, (other.clientY - here.y) / here.height);
      } else {
        view.x -= (event.clientX - before.clientX) * factor;
        view.y -= (event.clientY - before.clientY) * factor;
        apply();
      }
      moved += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
      fingers.set(event.pointerId, event);
    });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, (event) => fingers.delete(event.pointerId));

    for (const node of nodes) {
      node.setAttribute("role", "button");
      node.setAttribute("aria-label", data.nodes[node.id].label);
      node.tabIndex = -1;
      for (const link of all("a", node)) link.removeAttribute("xlink:title");
    }
    // Listeners stand on the frame: Chromium gives the focus to an SVG element that listens for it.
    rove(diagram, () => nodes, along(() => nodes));
    diagram.addEventListener("focusin", (event) => {
      const node = event.target.closest(".node");
      if (node && node.matches(":focus-visible")) { centre(node); hide(); show(node); }
    });
    press(drawing, (event) => {
      const node = event.target.closest(".node");
      if (node && nodes.includes(node) && moved < 5) chooseNode(node);
    });
  }

  // ---- search ----
  const field = one("search");
  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    const found = new Set();
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) { count += 1; found.add(Number(row.id.slice(4))); }
    }
    for (const node of nodes) {
      const known = data.nodes[node.id];
      node.classList.toggle("dim", words.length > 0 && !known.rows.some((row) => found.has(row)));
    }
    one("shown").textContent = words.length ? `${count} of ${rows.length}` : "";
  };
  if (field && table) field.addEventListener("input", search);

  if (table) {
    for (const button of all("thead button", table)) {
      button.disabled = false;
      button.addEventListener("click", () => sort(button.parentElement));
    }
    const linked = nodes.length > 0;
    const cells = () => all("tbody tr:not([hidden]) > *", table);
    const near = (cell, key) => {
      const row = cell.parentElement;
      const seen = (from, to) => { let at = from; while (at && at.hidden) at = at[to]; return at; };
      if (key === "ArrowRight") return cell.nextElementSibling;
      if (key === "ArrowLeft") return cell.previousElementSibling;
      if (key === "Home") return row.cells[0];
      if (key === "End") return row.cells[row.cells.length - 1];
      const to = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[key];
      const other = to && seen(row[to], to);
      return other && other.cells[cell.cellIndex];
    };
    if (linked || all("[data-x]", table).length) {
      let current = null;
      const take = (cell, focus) => {
        if (current) current.tabIndex = -1;
        current = cell;
        cell.tabIndex = 0;
        if (focus) cell.focus();
      };
      const first = cells()[0];
      if (first) take(first, false);
      body.addEventListener("focusin", (event) => { if (event.target.matches("td, th")) take(event.target, false); });
      body.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const next = near(event.target.closest("td, th"), event.key);
        if (next) { event.preventDefault(); take(next, true); }
      });
    }
    if (linked) press(body, (event) => {
      const row = event.target.closest("tr");
      if (row && !String(getSelection())) chooseRow(row);
    });
  }

  // ---- the charts ----
  for (const chart of all(".chart svg")) {
    const points = all(".point", chart);
    for (const point of points) {
      point.setAttribute("role", "button");
      point.tabIndex = -1;
      const title = point.querySelector("title");
      if (title) { point.setAttribute("aria-label", title.textContent); title.remove(); }
    }
    if (!points.length) continue;
    rove(chart.parentElement, () => points, along(() => points));
    press(chart, (event) => {
      const point = event.target.closest(".point");
      if (!point) return;
      const to = point.dataset.to;
      const row = one(to);
      if (row) { chosen([row, point]); reveal(row); } else if (to) location.href = to;
    });
  }
})();
