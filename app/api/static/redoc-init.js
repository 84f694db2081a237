// Starts ReDoc on the service's own API description, in the fonts that the reader's system has.
"use strict";

const holder = document.getElementById("api");
const fontFamily = "system-ui, sans-serif";

loadDescription(holder).then(({ description }) => {
  Redoc.init(
    description,
    { theme: { typography: { fontFamily, headings: { fontFamily } } } },
    holder,
  );
});
