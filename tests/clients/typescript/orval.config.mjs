export default {
  calls: {
    input: `${process.env.JSON_BODIES}.yaml`,
    output: { target: 'gen/orval.ts', client: 'fetch', baseUrl: { runtime: 'process.env.BASE_URL' } },
  },
};
