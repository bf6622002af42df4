/** Runs the build stage of the Dockerfile without a container, on the files that .dockerignore lets through. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oncePerRun } from '../support/once-per-run.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** Returns whether Docker would send a file to the build. The last line that matches decides, and a line for a folder applies to all files in it. */
export const isSent = (path: string, rules: string): boolean => {
  const parts = path.split('/');
  const above = parts.map((_, n) => parts.slice(0, n + 1).join('/'));
  const last = rules
    .split('\n')
    .filter((rule) => rule.trim() !== '')
    .findLast((rule) => above.some((one) => matchesGlob(one, rule.replace(/^!/, ''))));
  return last === undefined || last.startsWith('!');
};

/** Returns the stages of the Dockerfile, each as its lines. */
export const stages = (): string[][] =>
  read('Dockerfile')
    .split(/^FROM .*$/m)
    .slice(1)
    .map((stage) => stage.split('\n').filter(Boolean));

/** Returns the source and the target of each COPY of a stage. With `built`, the source is a path in the build stage, relative to its root. */
export const copiesOf = (stage: string[]): { from: string; to: string; built: boolean }[] =>
  stage.flatMap((line) => {
    const [, built, to = '', sources = ''] = /^COPY (--from=build )?(?=.* (\S+)$)(.*) \S+$/.exec(line) ?? [];
    return sources
      .split(' ')
      .filter(Boolean)
      .map((from) => ({
        from: from.replace(/^\/build\//, ''),
        to: to.endsWith('/') && from.includes('.') ? join(to, basename(from)) : to,
        built: built !== undefined,
      }));
  });

/** Returns the build stage's folder, which is the same for the whole test run. */
export const builtImage = async (): Promise<string> => await oncePerRun('image-build', build);

const build = async (folder: string): Promise<void> => {
  const [stage = []] = stages();
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split('\n');
  const rules = read('.dockerignore');
  const sent = tracked.filter((path) => path !== '' && existsSync(join(root, path)) && isSent(path, rules));
  for (const { from, to } of copiesOf(stage))
    for (const path of sent.filter((one) => one === from || one.startsWith(`${from}/`))) {
      const target = join(folder, to, path === from ? '' : path.slice(from.length + 1));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(root, path), target);
    }
  // These links replace the stage's `npm ci`.
  const packages = ['.', ...sent.filter((path) => /^packages\/[^/]+\/package\.json$/.test(path)).map((path) => dirname(path))];
  for (const one of packages) if (existsSync(join(root, one, 'node_modules'))) symlinkSync(join(root, one, 'node_modules'), join(folder, one, 'node_modules'));
  for (const line of stage.filter((one) => one.startsWith('RUN ') && !one.startsWith('RUN npm ci '))) {
    const script = spawn('sh', ['-c', line.slice('RUN '.length)], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    const code = await new Promise((done) => script.once('exit', done));
    if (code !== 0) throw new Error(`"${line}" ended with ${String(code)}`);
  }
};
