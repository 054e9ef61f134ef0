import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const source = name => new URL(`./src/${name}`, import.meta.url).pathname;
const packages = new Set();

/** Notes the packages whose code is in the build, page or worker. */
const notePackages = () => ({
  name: 'note-packages',
  generateBundle(_options, bundle) {
    for (const id of Object.values(bundle).flatMap(chunk => Object.keys(chunk.modules ?? {}))) {
      const root = /^\/.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0];
      if (root) packages.add(root);
    }
  },
});

/** Puts their licences beside the code, as they ask for, and names the file in the page. */
const licences = () => {
  let file;
  return {
    name: 'licences',
    generateBundle() {
      const texts = [...packages].sort().map(root => {
        const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
        const files = readdirSync(root).filter(entry => /^(licen[cs]e|thirdparty|notice)/i.test(entry)).sort();
        const words = files.map(entry => readFileSync(join(root, entry), 'utf8').trim());
        return [`${name} ${version} (${license})`, ...words].join('\n\n');
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

/** Leaves only compressed files, which the server sends as they are. */
const compress = () => ({
  name: 'compress',
  writeBundle: {
    order: 'post',
    handler({ dir }) {
      const folder = join(dir, 'explorer');
      for (const name of readdirSync(folder)) {
        writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }));
        unlinkSync(join(folder, name));
      }
    },
  },
});

export default defineConfig({
  base: './', // the page works behind any path prefix
  plugins: [notePackages(), licences(), compress()],
  worker: { format: 'es', plugins: () => [notePackages()] },
  resolve: {
    alias: {
      'monaco-editor/esm/vs/editor/edcore.main.js': source('monaco.js'),
      'prettier/parser-babel': source('json-formatter.js'),
      'prettier/plugins/estree': source('json-formatter.js'),
      'prettier/parser-graphql': 'prettier/plugins/graphql', // the same code under its newer name, once
    },
  },
  build: {
    assetsDir: 'explorer',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      onLog(level, log, show) {
        // "use client" and the like mean nothing in a page.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') show(level, log);
      },
    },
  },
});
