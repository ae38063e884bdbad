// Tables whose rows stay the same elements while figures change; what stands in them is text, never markup.

/** Colours of workers; farm.css has the same. */
export const COLOURS = ["#4aa6d8", "#ffb52e", "#7fd08a", "#e0706a", "#b58be0", "#e0d46a", "#6ad0c8", "#d08ab8"];

/** A cell of a text or an element. */
export function cell(content) {
  const one = document.createElement("td");
  if (content instanceof Node) one.append(content);
  else one.textContent = content;
  return one;
}

/** A box that puts a name into a set. */
export function check(set, name, label) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = set.has(name);
  box.setAttribute("aria-label", `Choose ${label}`);
  box.addEventListener("change", () => set[box.checked ? "add" : "delete"](name));
  return box;
}

/** A bar with words behind it. */
export function bar(value, max, words) {
  const both = document.createElement("span");
  const one = document.createElement("progress");
  one.max = Math.max(1e-9, max);
  one.value = value;
  one.setAttribute("aria-label", "Done");
  both.append(one, ` ${words}`);
  return both;
}

/** Fills a table's body, so that nobody loses their focus. */
export function fill(body, list, keyOf, cellsOf) {
  const before = new Map([...body.children].map((row) => [row.dataset.key, row]));
  const rows = list.map((one) => {
    const key = keyOf(one);
    let row = before.get(key);
    const cells = cellsOf(one);
    if (!row) {
      row = document.createElement("tr");
      row.dataset.key = key;
      row.append(...cells);
    } else {
      cells.forEach((fresh, index) => {
        const old = row.children[index];
        if (!old.contains(document.activeElement) && old.innerHTML !== fresh.innerHTML) old.replaceWith(fresh);
      });
    }
    return row;
  });
  const isSame = rows.length === body.children.length && rows.every((row, index) => body.children[index] === row);
  if (!isSame) body.replaceChildren(...rows);
}

/** What the address says behind the `#`. */
export function said() {
  return new URLSearchParams(location.hash.slice(1));
}

/** Puts something into the address, or takes it out. */
export function remember(name, text) {
  const all = said();
  if (text) all.set(name, text);
  else all.delete(name);
  history.replaceState(null, "", String(all) ? `#${all}` : location.pathname);
}

/** Lets the headings of a table sort it, as the address says under `name`: a heading's key, with a minus the other way. */
export function sortable(table, name, changed) {
  for (const heading of table.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const key = heading.dataset.sort;
      const now = said().get(name);
      remember(name, now === key ? `-${key}` : now === `-${key}` ? "" : key);
      mark();
      changed();
    });
  }
  function mark() {
    const now = said().get(name) || "";
    for (const heading of table.querySelectorAll("th[data-sort]")) {
      const key = heading.dataset.sort;
      heading.setAttribute("aria-sort", now === key ? "ascending" : now === `-${key}` ? "descending" : "none");
    }
  }
  mark();
}

/** A list in the order that the address says; `keys` are what each heading sorts by. */
export function sorted(list, name, keys) {
  const now = said().get(name) || "";
  const of = keys[now.replace("-", "")];
  if (!of) return list;
  const sign = now.startsWith("-") ? -1 : 1;
  const order = (a, b) => (typeof a === "string" ? a.localeCompare(String(b)) : a - b);
  return [...list].sort((a, b) => sign * order(of(a), of(b)));
}
