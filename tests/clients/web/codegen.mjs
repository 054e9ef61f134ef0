// graphql-codegen's client preset over our SDL and `queries/`, checked by TypeScript.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'graphql'
import { operation } from './support.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const bin = (name) => here(`node_modules/.bin/${name}`)

/** A project as a user has it, with what was generated for it. */
function project(change = (config) => config) {
  const folder = mkdtempSync(join(tmpdir(), 'codegen-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  for (const each of ['schema', 'queries']) symlinkSync(here(`../../../${each}`), join(folder, each))
  symlinkSync(here('node_modules'), join(folder, 'node_modules'))
  for (const each of ['codegen/usage.ts', 'codegen/tsconfig.json', 'readme/typed.ts']) {
    cpSync(here(each), join(folder, each.split('/')[1]))
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const config = change(JSON.parse(readFileSync(here('readme/codegen.json'), 'utf8')))
  writeFileSync(join(folder, 'codegen.json'), JSON.stringify(config))
  execFileSync(bin('graphql-codegen'), ['--config', 'codegen.json'], { cwd: folder, stdio: 'pipe' })
  return folder
}

const tsc = (folder) => execFileSync(bin('tsc'), ['--project', 'tsconfig.json'], { cwd: folder, stdio: 'pipe' })

export const cells = {
  async 'typed documents'() {
    const folder = project()
    tsc(folder)
    const typed = await import(join(folder, 'gql/graphql.js'))
    const files = readdirSync(here('../../../queries')).filter((file) => file.endsWith('.graphql'))
    for (const name of files.map((file) => file.split('.')[0])) {
      const [wanted] = parse(operation(name), { noLocation: true }).definitions
      const [made] = typed[`${name}Document`].definitions
      assert.equal(made.operation, wanted.operation)
      assert.deepEqual(made.variableDefinitions?.length ?? 0, wanted.variableDefinitions.length)
    }
    assert.equal(Object.keys(typed).filter((name) => name.endsWith('Document')).length, files.length)
  },

  async 'scalars are mapped'() {
    assert.throws(() => project(({ generates, ...rest }) => {
      delete generates['gql/'].config.scalars.JSON
      return { generates, ...rest }
    }), /Unknown scalar type JSON/)
  },

  async query(server) {
    const folder = project()
    tsc(folder)
    const { run } = await import(join(folder, 'usage.js'))
    const { createdAt, status, job } = await run(`${server.url}/graphql`)
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.equal(status, 'PENDING')
    assert.deepEqual(job, { values: { a: 1 } })
  },
}
