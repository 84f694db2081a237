// A long call's page comes with its beginning, so that it opens soon; the rest is asked for at once, and all that
// needs it waits for `arrived`. Where it cannot be had, the link to the page of the whole call stays.
export class Rest {
  // `tell` hears of new segments and moments in the lists of the page.
  constructor(tell) {
    this.tell = tell;
    this.arrived = Promise.resolve();
    this.isWhole = true;
  }

  bind() {
    const link = document.querySelector("[data-rest]");
    this.isWhole = !link;
    if (link) this.arrived = this.add(link);
  }

  async add(link) {
    const part = document.createElement("template");
    part.innerHTML = await read(link.dataset.rest);
    if (!part.content.children.length || !link.isConnected) return; // a correction brought the whole call meanwhile
    for (const list of part.content.querySelectorAll("[data-rest-of]")) {
      const added = [...list.children];
      document.querySelector(list.dataset.restOf)?.append(...added);
    }
    for (const one of document.querySelectorAll("[data-rest], [data-rest-link]")) one.remove();
    const moments = document.querySelector("[data-moments]");
    if (moments) htmx.process(moments);
    this.isWhole = true;
    this.tell();
  }
}

async function read(address) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }); // whose login ended is not shown the login
    return answer.ok ? await answer.text() : "";
  } catch {
    return "";
  }
}
