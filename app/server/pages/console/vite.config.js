import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const here = new URL('.', import.meta.url).pathname;
const SOURCES = ['index.html', 'operations', 'package-lock.json', 'src', 'tsconfig.json', 'vite.config.js'];
const packages = new Set();

/** Puts the licences of the packages in the build beside the code, as they ask for, and names the file in the page. */
const licences = () => {
  let file;
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      for (const id of Object.values(bundle).flatMap(chunk => Object.keys(chunk.modules ?? {}))) {
        const root = /^\/.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0];
        if (root) packages.add(root);
      }
      const texts = [...packages].sort().map(root => {
        const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
        const files = readdirSync(root).filter(entry => /^(licen[cs]e|thirdparty|notice)/i.test(entry)).sort();
        return [`${name} ${version} (${license})`, ...files.map(each => readFileSync(join(root, each), 'utf8').trim())].join('\n\n');
      });
      const text = texts.join(`\n\n${'-'.repeat(80)}\n\n`) + '\n';
      file = this.getFileName(this.emitFile({ type: 'asset', name: 'licences.txt', source: text }));
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [{ tag: 'link', attrs: { rel: 'license', href: `./${file}` }, injectTo: 'head' }],
    },
  };
};

/** Leaves only compressed files, which the server sends as they are, and the hash of their sources, which a test compares. */
const finish = () => ({
  name: 'finish',
  writeBundle: {
    order: 'post',
    handler({ dir }) {
      const folder = join(dir, 'console');
      for (const name of readdirSync(folder)) {
        writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }));
        unlinkSync(join(folder, name));
      }
      writeFileSync(join(dir, 'sources.sha256'), `${hash()}\n`);
    },
  },
});

/** The SHA-256 of the paths and contents of all sources, in the order of their paths. tests/console/test_build.py has it too. */
function hash() {
  const files = SOURCES.flatMap(each => (each.includes('.') ? [each] : within(each))).sort();
  const sum = createHash('sha256');
  for (const file of files) sum.update(`${file}\0`).update(createHash('sha256').update(readFileSync(join(here, file))).digest());
  return sum.digest('hex');
}

function within(folder) {
  return readdirSync(join(here, folder), { recursive: true, withFileTypes: true })
    .filter(each => each.isFile())
    .map(each => join(each.parentPath, each.name).slice(here.length))
    .filter(each => !each.startsWith('src/generated/'));
}

export default defineConfig({
  base: './', // the page works behind any path prefix
  plugins: [licences(), finish()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: { proxy: { '/graphql': process.env.VOLTGRAPH_URL ?? 'http://127.0.0.1:8000', '/livez': process.env.VOLTGRAPH_URL ?? 'http://127.0.0.1:8000' } },
  build: { target: 'es2022', assetsDir: 'console', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
