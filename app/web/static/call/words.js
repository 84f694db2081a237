// Each word as an element of its own, which can be clicked and shown as spoken. Long calls have tens of thousands
// of words: there, a segment's are made when it comes near.
const AT_ONCE = 400;
const NEAR = "800px";
const HUNDREDTHS = "data-s";

let observer = null;

// The words of a segment, in order.
export function wordsOf(segment) {
  wrap(segment);
  return [...segment.querySelectorAll(`span[${HUNDREDTHS}]`)];
}

// `goesOn`: they are the beginning of a long call.
export function wrapWords(segments, goesOn) {
  observer?.disconnect();
  if (segments.length <= AT_ONCE && !goesOn) {
    segments.forEach(wrap);
    return;
  }
  observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer.unobserve(entry.target);
        wrap(entry.target);
      }
    },
    { rootMargin: NEAR },
  );
  for (const segment of segments) observer.observe(segment);
}

function wrap(segment) {
  const text = segment.querySelector(".segment-text[data-w]");
  if (!text) return;
  const start = Number(segment.getAttribute(HUNDREDTHS));
  const words = text.dataset.w.split(" ").map((word) => word.split(".").map(Number));
  text.removeAttribute("data-w");
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) node.replaceWith(pieces(node.data, words, start));
}

// Takes as many of `words` as `text` holds; blanks stay between them.
function pieces(text, words, start) {
  const made = document.createDocumentFragment();
  let at = 0;
  while (at < text.length) {
    const blanks = text.slice(at).match(/^\s*/)[0];
    if (blanks) made.append(blanks);
    at += blanks.length;
    if (at >= text.length || !words.length) break;
    const [offset, length] = words.shift();
    const word = document.createElement("span");
    word.setAttribute(HUNDREDTHS, start + offset);
    word.textContent = text.slice(at, at + length);
    if (length) made.append(word);
    at += length;
  }
  if (at < text.length) made.append(text.slice(at));
  return made;
}
