/** `npm run build:pages`: builds the files that the gateway serves, unless they are up to date. */
import { buildPages } from './pages.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
say((await buildPages(say)) ? 'dist/site  built' : 'dist/site  nothing has changed');
