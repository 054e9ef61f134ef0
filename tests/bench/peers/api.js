// The schema and the resolvers that every peer serves: plain, without paging or tenants; one DataLoader a request.
const crypto = require('crypto');
const DataLoader = require('dataloader');
const tables = require(process.env.DATABASE.startsWith('postgres') ? './postgres' : './sqlite');

const typeDefs = `
enum ElementType { DIRECT_ENTRY DATA_FIT CALCULATION VALIDATION }
enum PipelineStatus { PENDING RUNNING COMPLETED FAILED CANCELED }
enum PipelineElementStatus { PENDING RUNNING COMPLETED FAILED SKIPPED CANCELED }
scalar JSON
type PipelineElement { id: ID! pipelineId: ID! name: String! elementOrder: Int! elementType: ElementType!
  jobConfig: JSON! status: PipelineElementStatus! createdAt: String! updatedAt: String! }
type Pipeline { id: ID! projectId: ID! name: String! description: String status: PipelineStatus! createdAt: String!
  updatedAt: String! organizationId: ID! elements: [PipelineElement!]! }
input PipelineElementInput { name: String! elementType: ElementType! jobConfig: JSON! }
type Query { pipeline(id: ID!): Pipeline pipelines(projectId: ID!, first: Int = 50): [Pipeline!]! }
type Mutation { createPipeline(projectId: ID!, name: String!, elements: [PipelineElementInput!]!): Pipeline!
  updatePipeline(id: ID!, name: String!): Pipeline }`;

const toPipeline = (row) => row && {
  id: row.id, projectId: row.project_id, name: row.name, description: row.description, status: row.status,
  createdAt: row.created_at, updatedAt: row.updated_at, organizationId: row.organization_id,
};
const toElement = (row) => ({
  id: row.id, pipelineId: row.pipeline_id, name: row.name, elementOrder: row.element_order,
  elementType: row.element_type, jobConfig: JSON.parse(row.job_config), status: row.status, createdAt: row.created_at,
  updatedAt: row.updated_at,
});

// Ids are in the order of time, as those of Voltgraph: rows that are created together are neighbours in the index.
const timeOrdered = () => {
  const bytes = crypto.randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 15) | 112;
  bytes[8] = (bytes[8] & 63) | 128;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
const newId = typeof Bun === 'undefined' ? timeOrdered : Bun.randomUUIDv7;

// SQLite's driver answers at once: no promise is made where none is needed.
const then = (answer, next) => (answer instanceof Promise ? answer.then(next) : next(answer));

const loader = () => new DataLoader(async (ids) => {
  const found = new Map(ids.map((id) => [id, []]));
  for (const row of await tables.elements(ids)) found.get(row.pipeline_id).push(toElement(row));
  return ids.map((id) => found.get(id));
});

const createPipeline = (_, { projectId, name, elements }) => {
  const [id, now] = [newId(), new Date().toISOString()];
  const rows = elements.map((e, i) => [newId(), id, 'local', e.name, i + 1, e.elementType, 'PENDING', now,
    now, JSON.stringify(e.jobConfig)]);
  return then(tables.create([id, 'local', projectId, name, 'PENDING', now, now], rows), toPipeline);
};

const updatePipeline = (_, { id, name }) => then(tables.rename(id, name, new Date().toISOString()), toPipeline);

const resolvers = {
  Query: {
    pipeline: (_, { id }) => then(tables.one(id), toPipeline),
    pipelines: (_, { projectId, first }) => then(tables.page(projectId, first), (rows) => rows.map(toPipeline)),
  },
  Pipeline: { elements: (pipeline, _, context) => context.loader.load(pipeline.id) },
  Mutation: { createPipeline, updatePipeline },
};

const listening = (error, address) => {
  if (error) throw error;
  console.log(address);
};

module.exports = { typeDefs, resolvers, context: () => ({ loader: loader() }), listening };
