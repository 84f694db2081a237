// Fetches the API description for both documentation pages; where the service wants a key, asks for one first.
"use strict";

const DESCRIPTION_URL = "openapi.json";

async function fetchDescription(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const answer = await fetch(DESCRIPTION_URL, { headers });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`${DESCRIPTION_URL}: ${answer.status}`);
  return answer.json();
}

// The key lives in this page's memory only: never in storage, a cookie or the address.
function askForKey(holder) {
  const form = document.createElement("form");
  form.className = "key-form";
  const title = document.createElement("h1");
  title.textContent = "This service needs an API key";
  const input = document.createElement("input");
  Object.assign(input, { type: "password", autocomplete: "off", required: true });
  input.setAttribute("aria-label", "API key");
  const button = document.createElement("button");
  button.textContent = "Show the documentation";
  const problem = document.createElement("p");
  problem.setAttribute("role", "alert");
  form.append(title, input, button, problem);
  holder.replaceChildren(form);
  input.focus();
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const key = input.value.trim();
      try {
        const description = await fetchDescription(key);
        if (description) resolve({ description, key });
        else problem.textContent = "The service does not know this key.";
      } catch (error) {
        problem.textContent = `The API description cannot be read (${error.message}).`;
      }
    });
  });
}

async function loadDescription(holder) {
  try {
    const description = await fetchDescription("");
    const loaded = description ? { description, key: "" } : await askForKey(holder);
    holder.replaceChildren();
    return loaded;
  } catch (error) {
    holder.textContent = `The API description cannot be read (${error.message}).`;
    throw error;
  }
}
