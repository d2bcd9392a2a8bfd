// Places an answer's HTML (escaped in answer_html.py), shows a citation's quote on hover or focus, and tells Python
// what was clicked.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fn-root");
  if (root.shownHtml !== data.html) {
    root.innerHTML = data.html;
    root.shownHtml = data.html;
  }
  for (const element of root.querySelectorAll("[data-open]")) {
    element.classList.toggle("fn-opened", element.dataset.open === data.open);
  }
  const tip = () => document.querySelector("body > .fn-tip");
  const hide = () => tip()?.remove();
  const show = (event) => {
    const marker = event.target.closest("[data-tip-quote]");
    if (!marker) return;
    hide();
    const box = document.createElement("div");
    box.className = "fn-tip";
    box.setAttribute("role", "tooltip");
    const title = box.appendChild(document.createElement("strong"));
    title.textContent = marker.dataset.tipTitle;
    box.appendChild(document.createElement("p")).textContent = "“" + marker.dataset.tipQuote + "”";
    document.body.appendChild(box);
    const place = marker.getBoundingClientRect();
    const left = Math.min(Math.max(8, place.left - 24), window.innerWidth - box.offsetWidth - 8);
    const below = place.bottom + 6 + box.offsetHeight < window.innerHeight;
    box.style.left = left + "px";
    box.style.top = (below ? place.bottom + 6 : place.top - box.offsetHeight - 6) + "px";
  };
  root.onclick = (event) => {
    const target = event.target.closest("[data-open]");
    if (!target) return;
    hide();
    setTriggerValue("open", target.dataset.open);
  };
  root.onmouseover = show;
  root.onmouseout = hide;
  root.addEventListener("focusin", show);
  root.addEventListener("focusout", hide);
  return () => {
    root.removeEventListener("focusin", show);
    root.removeEventListener("focusout", hide);
    hide();
  };
}
