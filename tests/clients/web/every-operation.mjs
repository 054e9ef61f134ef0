// Every operation of `queries/` in one normalised cache: nothing is asked for twice, and everything that is shown follows.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'graphql'
import { example, operation } from './support.mjs'

const folder = new URL('../../../queries/', import.meta.url)
const FILES = readdirSync(folder).filter((file) => file.endsWith('.graphql')).map((file) => file.slice(0, -8))

/** The operations of a kind, by name. */
export const named = (kind) => FILES.filter((name) => parse(operation(name)).definitions[0].operation === kind)

const ELEMENTS = [
  { name: 'known', elementType: 'DIRECT_ENTRY', jobConfig: { values: { a: 1 } } },
  { name: 'fit', elementType: 'DATA_FIT', jobConfig: { fake: { seconds: 0.6, steps: 3 }, values: { b: 2 } } },
]
const DATA = { 'Time [s]': [0, 1, 2], 'Voltage [V]': [4.2, 4.1, 4] }

/** What the operations are about: two pipelines of a project, and a cell with a measurement. */
async function world(server) {
  const projectId = `every-${process.pid}-${Math.random()}`
  const [first, second] = [
    await server.run('CreatePipeline', { input: { projectId, name: 'first', elements: ELEMENTS } }),
    await server.run('CreatePipeline', { input: { projectId, name: 'second', elements: ELEMENTS } }),
  ]
  const ask = (name, input) => server.payload(name, { input })
  const { cellSpecification } = await ask('CreateCellSpecification', { projectId, name: 'M50' })
  const { cellInstance } = await ask('CreateCellInstance', { cellSpecificationId: cellSpecification.id, name: '1' })
  const { measurement } = await ask('CreateMeasurement', { cellInstanceId: cellInstance.id, name: '1C', data: DATA })
  return { projectId, first, second, measurement, cellInstance, cellSpecification }
}

function variables(name, { projectId, first, second, measurement, cellInstance }) {
  const filter = { projectId }
  if (name === 'ElementSeries') return { id: first.id, objective: 'none' }
  if (name === 'Nodes') return { ids: [second.id, first.id, first.elements[0].id] }
  if (name === 'CellSpecifications') return { projectId }
  if (name === 'CellInstances') return { projectId }
  if (name === 'Measurements' || name === 'Pipelines' || name === 'PipelineCounts') return { filter }
  if (/Cell/.test(name)) return { id: cellInstance.id }
  if (/Measurement/.test(name)) return { id: measurement.id }
  const given = existsSync(new URL(`${name}.variables.json`, folder)) ? example(name) : {}
  return /\$id: ID!/.test(operation(name)) ? { ...given, id: first.id } : given
}

/** Count the requests of the client from now on, by operation. */
function counted() {
  const counts = {}
  const plain = globalThis.fetch
  globalThis.fetch = (input, init) => {
    const query = init.body ? JSON.parse(init.body).query : new URL(input).searchParams.get('query')
    const name = /(?:query|mutation) (\w+?)(?:Query|Mutation)?\b/.exec(query)[1]
    counts[name] = (counts[name] ?? 0) + 1
    return plain(input, init)
  }
  return counts
}

/** The warnings of the client from now on. */
function warnings() {
  const said = []
  for (const level of ['warn', 'error']) console[level] = (...words) => said.push(words.join(' ').slice(0, 300))
  return said
}

async function until(what, is) {
  const end = Date.now() + 20_000
  while (!is()) {
    assert.ok(Date.now() < end, `not within 20 s: ${typeof what === 'function' ? JSON.stringify(what()) : what}`)
    await sleep(20)
  }
}

/** `client` has `watch`, `poll`, `change` and `subscribe`, each with a name and variables. `watch` gives what is shown:
 * `data`, and whether it is `whole`. */
export async function everyOperation(server, client) {
  const about = await world(server)
  const names = []
  for (const name of named('query')) if (await server.answers(name, variables(name, about))) names.push(name)
  assert.ok(names.length >= 20, `only ${names}`)
  const said = warnings()
  const asked = counted()
  const shown = {}
  for (const name of names) shown[name] = client.watch(name, variables(name, about))
  const open = () => names.filter((name) => !shown[name].whole)
  await until(open, () => open().length === 0)
  await sleep(300)
  const once = Object.fromEntries(names.map((name) => [name, 1]))
  assert.deepEqual(asked, once, 'a query was asked for again when another one came')

  const { id } = about.first
  await client.poll('PipelineProgress', { id })
  await client.change('UpdatePipeline', { id, input: { name: 'renamed' } })
  const row = () => shown.Pipelines.data.pipelines.nodes.find((each) => each.id === id)
  const seen = () => [shown.Pipeline.data.pipeline.name, shown.Node.data.node.name, shown.Nodes.data.nodes[1].name, row().name]
  await until(seen, () => seen().every((name) => name === 'renamed'))

  const stops = [
    client.subscribe('PipelinesUpdated', { filter: { projectId: about.projectId } }),
    client.subscribe('PipelineUpdated', { id }),
  ]
  await sleep(300)
  await client.change('StartPipeline', { id })
  const parts = () => shown.Pipeline.data.pipeline.elements
  const ended = () => [shown.Pipeline.data.pipeline, row(), ...parts()].map(({ status }) => status)
  await until(ended, () => ended().every((status) => status === 'COMPLETED') && row().isTerminal)
  const elements = parts()
  assert.deepEqual(elements.map(({ jobConfig }) => jobConfig), ELEMENTS.map(({ jobConfig }) => jobConfig))
  await client.change('UpdateMeasurement', { id: about.measurement.id, input: { notes: 'noted' } })
  await until('the notes', () => shown.Measurement.data.measurement.notes === 'noted')
  for (const stop of stops) stop()
  await sleep(300)
  assert.deepEqual(open(), [])
  const more = { PipelineProgress: 2, UpdatePipeline: 1, StartPipeline: 1, UpdateMeasurement: 1 }
  assert.deepEqual(asked, { ...once, ...more }, 'a query was asked for again after a change')
  assert.deepEqual(said, [])
  return { about, shown, asked }
}

/** What a page shows after a deletion: the payload has the counts, so that nothing is asked for. */
export const DELETE = `mutation Delete($id: ID!, $filter: PipelineFilter) {
  deletePipeline(id: $id) {
    deletedPipelineId
    userErrors { message }
    query {
      pipelineCounts(filter: $filter) { status count }
      pipelines(filter: $filter) { totalCount pageInfo { hasNextPage endCursor } nodes { id } }
    }
  }
}`

/** Delete the second pipeline by `remove`, which sends DELETE; the counts and the list that are shown must follow. */
export async function counts({ about, shown, asked }, remove) {
  const { filter } = { filter: { projectId: about.projectId } }
  await remove({ id: about.second.id, filter })
  const { data: list } = shown.Pipelines
  const seen = () => [
    shown.PipelineCounts.data.pipelineCounts.reduce((sum, { count }) => sum + count, 0),
    shown.Pipelines.data.pipelines.totalCount,
    shown.Pipelines.data.pipelines.nodes.length,
  ]
  assert.equal(list.pipelines.totalCount >= 1, true)
  await until(seen, () => JSON.stringify(seen()) === '[1,1,1]')
  assert.equal(asked.PipelineCounts, 1)
}
