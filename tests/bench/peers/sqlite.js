// The tables in SQLite, as the quickest driver of Node or Bun reads them: prepared statements, on the event loop's thread.
const { Database } = typeof Bun === 'undefined' ? { Database: require('better-sqlite3') } : require('bun:sqlite');
const { INSERT_PIPELINE, INSERT_ELEMENT, ONE, PAGE, RENAME } = require('./statements');

const database = new Database(process.env.DATABASE);
database.exec('PRAGMA journal_mode=WAL');
database.exec('PRAGMA synchronous=FULL'); // as Voltgraph: a commit is on the disk before its answer
database.exec('PRAGMA cache_size=-65536');

const [one, page, update] = [ONE, PAGE, RENAME].map((sql) => database.prepare(sql));
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

module.exports = {
  one: (id) => one.get(id),
  page: (project, first) => page.all(project, first),
  rename: (id, name, now) => update.get(name, now, id),
  elements,
  create,
};
