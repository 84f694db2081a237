// A comment is about the time at which it is begun; who writes is remembered in this browser.
import { clock } from "./clock.js";

const NAME = "darwix-author";

export function bindComments(player, actions) {
  const form = () => document.querySelector("[data-comment-form]");
  let isTouched = false;

  actions.comment = () => {
    if (!form()) return;
    document.dispatchEvent(new CustomEvent("darwix:tab", { detail: "comments-panel" }));
    setTime();
    form().elements.text.focus();
  };

  function setTime() {
    form().elements.at.value = clock(player.time);
  }

  document.addEventListener("focusin", (event) => {
    if (event.target === form()?.elements.text && !event.target.value && !isTouched) setTime();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (event.target === form()?.elements.text) form().requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (event.target === form()?.elements.at) isTouched = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form() || !event.detail.successful) return;
    remember(form().elements.author.value);
    form().elements.text.value = "";
    isTouched = false;
  });
  return function bind() {
    if (form() && !form().elements.author.value) form().elements.author.value = remembered();
    count();
  };
}

export function count() {
  const chip = document.querySelector("[data-comment-count]");
  if (chip) chip.textContent = document.querySelectorAll("#comments .comment").length;
}

function remember(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // storage is switched off: it is asked for again
  }
}

function remembered() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}
