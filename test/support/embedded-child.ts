/** A process that opens the embedded database in a folder, adds one row, prints the number of rows, and runs until it is killed or its stdin ends. */
import { openDatabase } from '../../src/entry/database-node.ts';

process.stdin.on('end', () => process.exit()).resume();
const { sql } = await openDatabase({ dataDir: process.argv[2] ?? '', log: () => undefined });
await sql`create table if not exists kept (n int)`;
await sql`insert into kept values (1)`;
const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from kept`;
console.log(`rows ${row?.rows}`);
