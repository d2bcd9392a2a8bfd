// Places a source's HTML (escaped in citation_view.py), scrolls to what is marked, and enlarges a page when clicked.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".fn-root");
  if (root.shownHtml === data.html) return;
  root.innerHTML = data.html;
  root.shownHtml = data.html;
  // Only what scrolls by itself is moved: scrollIntoView would move the whole page too.
  const toMark = () => {
    const mark = root.querySelector(".fn-box, mark");
    for (let box = mark?.parentElement; box && box.tagName !== "MAIN"; box = box.parentElement) {
      if (!/auto|scroll/.test(getComputedStyle(box).overflow)) continue;
      const inner = mark.getBoundingClientRect();
      const outer = box.getBoundingClientRect();
      box.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
      box.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
    }
  };
  const picture = root.querySelector("img");
  if (picture && !picture.complete) picture.onload = toMark;
  else toMark();
  root.onclick = (event) => {
    const sheet = event.target.closest(".fn-sheet");
    if (!sheet) return;
    sheet.classList.toggle("fn-zoomed");
    toMark();
  };
}
