export default {
  input: 'openapi.yaml',
  output: { path: 'client', module: { extension: '.ts' } },
  plugins: ['@hey-api/client-fetch'],
};
