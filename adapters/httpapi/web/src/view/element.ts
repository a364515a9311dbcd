type Attributes = Record<string, string | boolean | undefined>;

/**
 * An element with its attributes and children. Strings become text, never markup, so what people
 * write cannot turn into part of the page. `true` sets an empty attribute, `false` none.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const shapes = {
  bubble: "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z",
  send: "M4 12 20 4l-5 16-3.5-6.5L4 12zM11.5 13.5 20 4",
  swap: "M4 8h15m0 0-4-4m4 4-4 4M20 16H5m0 0 4-4m-4 4 4 4",
  leave: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M4 12h11m0 0-4-4m4 4-4 4",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7",
  checks: "M1.5 12.5l5 5L15 8M11 15.5l2 2L22.5 8",
  down: "M12 5v14m0 0 6-6m-6 6-6-6",
  warning: "M12 8v5m0 3.5v.01M12 3 2.5 20h19L12 3z",
};

/** A line drawing in the colour of the text around it. It says nothing to a screen reader. */
export function icon(name: keyof typeof shapes): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", shapes[name]);
  svg.append(path);
  return svg;
}

/** A user's mark: an initial on a colour that is always the same for the same name. */
export function avatar(user: string): HTMLElement {
  const made = element("span", { class: "avatar", "aria-hidden": "true" }, user.slice(0, 1).toUpperCase());
  let hash = 0;
  for (const character of user) hash = (hash * 31 + character.charCodeAt(0)) % 360;
  made.style.setProperty("--hue", String(hash));
  return made;
}
