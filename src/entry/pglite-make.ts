/** Makes an embedded database in the folder that is its argument, as a process of its own: embedded-database.ts says why. */
import { PGlite } from '@electric-sql/pglite';

const db = await PGlite.create(process.argv[2] ?? '');
await db.close();
