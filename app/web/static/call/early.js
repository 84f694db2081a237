// What is pressed before main.js is there is not lost: the last of it is done as soon as it is.
(function () {
  "use strict";
  let pressed = null;

  function remember(event) {
    pressed = event.target.closest("[data-do], [role=tab]") ?? pressed;
  }

  function catchUp() {
    document.removeEventListener("click", remember);
    pressed?.click();
  }

  document.addEventListener("click", remember);
  document.addEventListener("darwix:ready", catchUp, { once: true });
})();
