/** `npm run build:pages`: makes what the gateway serves from files, unless it is there already. */
import { buildPages } from './pages.ts';

process.stdout.write((await buildPages()) ? 'dist/site  built\n' : 'dist/site  nothing has changed\n');
