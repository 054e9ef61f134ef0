// The tables in SQLite, as its quickest driver for Node reads them: prepared statements, on the event loop's thread.
const Database = require('better-sqlite3');
const { INSERT_PIPELINE, INSERT_ELEMENT, ONE, PAGE } = require('./statements');

const database = new Database(process.env.DATABASE);
database.pragma('journal_mode=WAL');
database.pragma('synchronous=NORMAL');

const [one, page] = [database.prepare(ONE), database.prepare(PAGE)];
const [insertPipeline, insertElement] = [database.prepare(INSERT_PIPELINE), database.prepare(INSERT_ELEMENT)];

const ofElements = (count) => database.prepare(`SELECT * FROM pipeline_element
  WHERE pipeline_id IN (${Array(count).fill('?').join(',')}) ORDER BY pipeline_id, element_order`);
const kept = {};
const keeping = (count) => (kept[count] ??= ofElements(count));
const elements = (ids) => (process.env.TUNED ? keeping : ofElements)(ids.length).all(...ids);

const create = database.transaction((pipeline, rows) => {
  insertPipeline.run(...pipeline);
  for (const row of rows) insertElement.run(...row);
  return one.get(pipeline[0]);
});

module.exports = { one: (id) => one.get(id), page: (project, first) => page.all(project, first), elements, create };
