import type { Command } from 'commander';
import { commandIo, makeCommand, reportOption, wholeNumber } from './shared.ts';

interface TypedOptions {
  readonly seconds?: number;
  readonly out: string;
  readonly report: 'text' | 'json';
}

export function addLabCommand(program: Command): void {
  const command = makeCommand(
    'lab',
    'Sender and appliance together on loopback with a sample capture: shows what arrives on each lane.',
    'mirrortap lab --seconds 10',
  )
    .option('--seconds <n>', 'ends by itself after so long (default: Ctrl-C ends it)', wholeNumber(1))
    .option('--out <dir>', 'folder for the capture files', 'captures')
    .addOption(reportOption());
  command.action(async ({ seconds, out, report }: TypedOptions) => {
    const { runLab } = await import('../lab.ts');
    process.exitCode = await runLab({ directory: out, seconds, report }, commandIo(command));
  });
  program.addCommand(command);
}
