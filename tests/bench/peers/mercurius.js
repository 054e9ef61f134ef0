// Mercurius on Fastify, with its compiler of queries from the first one on.
const app = require('fastify')();
const { typeDefs, resolvers, context, listening } = require('./api');

app.register(require('mercurius'), { schema: typeDefs, resolvers, context, jit: 1 });
app.listen({ port: 0, host: '127.0.0.1' }, listening);
