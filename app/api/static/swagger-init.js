// Starts Swagger UI on the service's own API description, with nothing asked of any other host.
"use strict";

const holder = document.getElementById("api");

function authorize(ui, description, key) {
  const schemes = description.components?.securitySchemes ?? {};
  for (const [name, scheme] of Object.entries(schemes)) {
    if (key && scheme.type === "http" && scheme.scheme === "bearer") ui.preauthorizeApiKey(name, key);
  }
}

loadDescription(holder).then(({ description, key }) => {
  const ui = SwaggerUIBundle({
    spec: description,
    domNode: holder,
    layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis],
    validatorUrl: null,
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    onComplete: () => authorize(ui, description, key),
  });
});
