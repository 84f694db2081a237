// Several recordings at once: dropped or chosen, each with its progress, two on their way at a time.
(function () {
  "use strict";
  const AT_ONCE = 2;
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.elements.audio;
  const list = form.querySelector("[data-uploads]");
  const box = form.querySelector("[data-drop]");
  const button = form.querySelector("button[type=submit]");
  const zone = document.querySelector("[data-drop-zone]");
  const waiting = [];
  let onTheirWay = 0;

  input.multiple = true;
  input.required = false;
  button.hidden = true; // what is chosen is sent at once

  function element(kind, className, text = "") {
    const made = document.createElement(kind);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function add(files) {
    for (const file of files) {
      const item = document.createElement("li");
      const state = element("span", "upload-state", "Waiting");
      const progress = document.createElement("progress");
      progress.max = 100;
      progress.value = 0;
      progress.setAttribute("aria-label", `Upload of ${file.name}`);
      item.append(element("span", "upload-name", file.name), state, progress);
      list.append(item);
      const upload = { file, item, state, progress };
      if (file.size) waiting.push(upload);
      else refuse(upload, "The file is empty.");
    }
    list.hidden = !list.children.length;
    next();
  }

  function next() {
    while (onTheirWay < AT_ONCE && waiting.length) send(waiting.shift());
  }

  function bodyOf(file) {
    const body = new FormData();
    for (const [name, value] of new FormData(form)) {
      if (name !== "audio" && value !== "") body.append(name, value);
    }
    body.append("audio", file, file.name);
    return body;
  }

  function send(upload) {
    const request = new XMLHttpRequest();
    onTheirWay += 1;
    upload.item.querySelector(".upload-trouble")?.remove();
    upload.progress.hidden = false;
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", window.darwix.csrfToken());
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      upload.progress.value = (event.loaded / event.total) * 100;
      upload.state.textContent = event.loaded < event.total ? `${Math.round(upload.progress.value)} %` : "Checking";
    });
    request.addEventListener("loadend", () => {
      onTheirWay -= 1;
      ended(upload, request);
      next();
    });
    request.send(bodyOf(upload.file));
  }

  function ended(upload, request) {
    if (request.status === 401) {
      location.assign(`/ui/login?next=${encodeURIComponent("/")}`);
      return;
    }
    if (request.status === 202) {
      upload.progress.value = 100;
      showAccepted(upload, JSON.parse(request.responseText));
      return;
    }
    const again = element("button", "button button--small", "Try again");
    again.type = "button";
    again.addEventListener("click", () => {
      waiting.push(upload);
      next();
    });
    refuse(upload, troubleOf(request), " ", again);
  }

  function refuse(upload, why, ...more) {
    upload.state.textContent = "Not taken";
    upload.progress.hidden = true;
    const trouble = element("p", "upload-trouble", why);
    trouble.append(...more);
    upload.item.append(trouble);
  }

  function showAccepted(upload, state) {
    const link = element("a", "", "In work: open");
    link.href = `/ui/calls/${encodeURIComponent(state.call_id)}`;
    upload.state.replaceChildren(link);
    if (document.getElementById("calls")) htmx.trigger(document.body, "darwix:calls");
  }

  function troubleOf(request) {
    try {
      const problem = JSON.parse(request.responseText);
      return `${problem.title}: ${problem.detail}.`;
    } catch {
      return request.status ? `The service answered ${request.status}.` : "The connection broke.";
    }
  }

  function holdsFiles(event) {
    return [...(event.dataTransfer?.types ?? [])].includes("Files");
  }

  function openDialog() {
    const dialog = form.closest("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    input.click();
  });

  let depth = 0;
  function over(is) {
    box.classList.toggle("is-over", is);
    if (zone) zone.hidden = !is || form.closest("dialog[open]") !== null;
  }
  document.addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    over(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!holdsFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) over(false);
  });
  document.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    openDialog();
    add([...event.dataTransfer.files]);
  });
})();
