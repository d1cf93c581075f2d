'use strict';

// A token alone is enough: the word that the server expects before it is added.
function addScheme(request) {
  const value = (request.headers.Authorization || '').trim();
  if (value && !value.includes(' ')) {
    request.headers.Authorization = 'Token ' + value;
  }
  return request;
}

window.ui = SwaggerUIBundle({
  dom_id: '#swagger-ui',
  url: '/api/schema/?format=yaml', // which keeps the order of the file; JSON doesn't
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false, // a token must not outlive the page
  validatorUrl: null, // the default is a server elsewhere
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestInterceptor: addScheme,
});
