/** Elements made from data. Data becomes text nodes and attributes, never markup. */

/**
 * A new element: `make("button", { class: "quiet", onclick: send }, "Send")`. Keys that start with `on` are listeners,
 * true and false put and leave out an attribute; a child is a node or text, null is none.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Show text in an element, or hide it when there is none. */
export function tell(element, text) {
  element.textContent = text || "";
  element.hidden = !text;
}
