/** `ramp <name> …`, in the image: runs one of the operator's commands. */
import { commands } from './ops/commands.ts';

const [name = ''] = process.argv.splice(2, 1);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command) await command.run();
else {
  const width = Math.max(...Object.keys(commands).map((one) => one.length));
  const lines = Object.entries(commands).map(([one, { about }]) => `  ${one.padEnd(width)}  ${about}`);
  process.stdout.write(`usage: ramp <command> …\n${lines.join('\n')}\n`);
  if (!['help', '--help', '-h'].includes(name)) process.exitCode = 1;
}
