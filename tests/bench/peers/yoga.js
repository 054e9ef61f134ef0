// GraphQL Yoga on Node's own HTTP server.
const { createServer } = require('http');
const { createYoga, createSchema } = require('graphql-yoga');
const { typeDefs, resolvers, context, listening } = require('./api');

const server = createServer(createYoga({ schema: createSchema({ typeDefs, resolvers }), context, logging: false }));
server.listen(0, '127.0.0.1', () => listening(null, `http://127.0.0.1:${server.address().port}`));
