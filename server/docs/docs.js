'use strict';

// Swagger UI fills each field with its example or with a text made up from its pattern. Then a
// list is narrowed to nothing, and a partial update changes what nobody meant to change: here
// the fields are empty, and a parameter's example is a part of its description.
function emptyFields(spec) {
  for (const parameter of Object.values(spec.components.parameters)) {
    if ('example' in parameter) {
      parameter.description += `\n\nExample: \`${parameter.example}\``;
      delete parameter.example;
    }
  }
  for (const [name, schema] of Object.entries(spec.components.schemas)) {
    if (/(Form|Multipart)$/.test(name)) {
      for (const property of Object.values(schema.properties)) {
        property.example = '';
      }
    }
  }
  spec.components.securitySchemes.tokenAuth.description += '\n\nHere the token alone is enough.';
  return spec;
}

// Paths are filled with the first object of their list once there is a token to ask for it. What somebody types
// counts before it.
async function fillPaths(value, { specActions, specSelectors }) {
  const first = {};
  const paths = specSelectors.specJson().get('paths').toJS();
  for (const [path, item] of Object.entries(paths)) {
    const [list, inside] = path.split('{uuid}');
    if (inside === undefined || !paths[list]) {
      continue;
    }
    first[list] ??= fetch(list + '?page_size=1', addScheme({ headers: { Authorization: value } }))
      .then((answer) => (answer.ok ? answer.json() : []));
    const [object] = await first[list];
    for (const method of object ? Object.keys(item) : []) {
      specActions.changeParam([path, method], 'uuid', 'path', object.uuid);
    }
  }
}

// A form beside Authorize, for who has a password and no token.
const signInForm = (Original, { React, preauthorizeApiKey }) => (props) => {
  const [refusal, refuse] = React.useState('');
  const signIn = async (event) => {
    event.preventDefault();
    const body = JSON.stringify(Object.fromEntries(new FormData(event.target)));
    const headers = { 'Content-Type': 'application/json' };
    try {
      const answer = await fetch('/api-auth/password/', { method: 'POST', headers, body });
      const said = await answer.json();
      if (answer.ok) {
        refuse('');
        preauthorizeApiKey('tokenAuth', said.token);
      } else {
        refuse(Object.values(said).flat().join(' '));
      }
    } catch {
      refuse('The server does not answer.');
    }
  };
  const field = (name, type, autoComplete) => React.createElement('input', {
    name, type, autoComplete, placeholder: name, 'aria-label': name, required: true, maxLength: 128,
  });
  const form = React.createElement('form', { className: 'sign-in', onSubmit: signIn },
    React.createElement('output', null, refusal),
    field('username', 'text', 'username'),
    field('password', 'password', 'current-password'),
    React.createElement('button', { className: 'btn' }, 'Sign in'));
  return React.createElement(React.Fragment, null, !props.isAuthorized && form, React.createElement(Original, props));
};

const plugin = () => ({
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (original) => (spec) => original(emptyFields(spec)) } },
    auth: {
      wrapActions: {
        authorize: (original, system) => (payload) => {
          original(payload);
          fillPaths(payload.tokenAuth.value, system);
        },
      },
    },
  },
  wrapComponents: {
    authorizeBtn: signInForm,
    // An empty field of a form is left out unless its box is ticked; by default they all are.
    ParameterIncludeEmpty: (Original, { React }) => (props) =>
      React.createElement(Original, { ...props, isIncludedOptions: { ...props.isIncludedOptions, defaultValue: false } }),
  },
});

// The server expects a word before the token; who pastes the token alone gets it added.
function addScheme(request) {
  const value = (request.headers.Authorization || '').trim();
  if (value && !value.includes(' ')) {
    request.headers.Authorization = 'Token ' + value;
  }
  return request;
}

SwaggerUIBundle({
  dom_id: '#swagger-ui',
  url: '/api/schema/?format=yaml', // keeps the order of the file, which JSON loses
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false, // a token must not outlive the page
  validatorUrl: null, // the default is a server elsewhere
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestInterceptor: addScheme,
  plugins: [plugin],
});
