// The server's state is shown by patching texts in place: no node that a finger may be on
// is ever replaced.

export const byId = (id) => document.getElementById(id);

export function patch(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(root, values) {
  for (const [name, text] of Object.entries(values)) patch(root.querySelector(`[data-show=${name}]`), text);
}

export function chip(node, { look, icon, word }) {
  if (node.className !== `chip ${look}`) node.className = `chip ${look}`;
  patch(node.firstElementChild, icon);
  patch(node.lastElementChild, word);
}

export function reveal(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

export function copyOf(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

// Bring the children of a parent in line with the wanted ones, touching no other.
export function arrange(parent, ids, make) {
  const nodes = parent.known ??= new Map();
  for (const [id, node] of nodes) {
    if (!ids.includes(id)) { node.remove(); nodes.delete(id); }
  }
  ids.forEach((id, index) => {
    if (!nodes.has(id)) nodes.set(id, make(id));
    const node = nodes.get(id);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  return nodes;
}

// A list of items, each made of a template once and patched from then on.
export function list(parent, items, { template, id, key, render }) {
  const nodes = arrange(parent, items.map((one) => String(one[id])), (value) => {
    const node = copyOf(template);
    node.dataset[key] = value;
    return node;
  });
  for (const one of items) render(nodes.get(String(one[id])), one);
  reveal(parent, items.length > 0);
}

// Texts, one below the other.
export function texts(parent, told) {
  list(parent, told.map((text, at) => ({ at, text })), {
    template: "text", id: "at", key: "at", render: (node, { text }) => patch(node, text),
  });
}

// The options of a select, as [value, text]; what was chosen stays chosen.
export function offer(select, options) {
  const wanted = JSON.stringify(options);
  if (select.offered === wanted) return;
  select.offered = wanted;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}
