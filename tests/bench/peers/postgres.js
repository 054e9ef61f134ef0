// The tables in PostgreSQL: named statements, which the server prepares once, over a pool of connections.
const { Pool } = require('pg');
const { INSERT_PIPELINE, ONE, PAGE, RENAME } = require('./statements');

const pool = new Pool({ connectionString: process.env.DATABASE, max: 16 });
const numbered = (sql) => sql.replace(/\?/g, ((n) => () => `$${++n}`)(0));
const statement = (name, sql) => (on, values) => on.query({ name, text: numbered(sql), values });

const one = statement('one', ONE);
const page = statement('page', PAGE);
const rename = statement('rename', RENAME);
const elements = statement('elements', `SELECT * FROM pipeline_element WHERE pipeline_id = ANY(?)
  ORDER BY pipeline_id, element_order`);
const insertPipeline = statement('insert_pipeline', `${INSERT_PIPELINE} RETURNING *`);
const insertElements = statement('insert_elements', `INSERT INTO pipeline_element
  (id, pipeline_id, organization_id, name, element_order, element_type, status, created_at, updated_at, job_config)
  SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::integer[], ?::text[], ?::text[], ?::text[],
  ?::text[], ?::text[])`);

const create = async (pipeline, rows) => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows: [created] } = await insertPipeline(client, pipeline);
    await insertElements(client, rows[0].map((_, column) => rows.map((row) => row[column])));
    await client.query('COMMIT');
    return created;
  } finally {
    client.release();
  }
};

module.exports = {
  one: async (id) => (await one(pool, [id])).rows[0],
  page: async (project, first) => (await page(pool, [project, first])).rows,
  rename: async (id, name, now) => (await rename(pool, [name, now, id])).rows[0],
  elements: async (ids) => (await elements(pool, [ids])).rows,
  create,
};
