/** The command line: what there is, what it is called, and which module does it. */
import { Command } from 'commander';
import { addConfigCommand } from './cli/config.ts';
import { addDecapCommand, spellOutDecap } from './cli/decap.ts';
import { addDoctorCommand } from './cli/doctor.ts';
import { addExplainCommand } from './cli/explain.ts';
import { failWith } from './cli/failure.ts';
import { addLabCommand } from './cli/lab.ts';
import { addReceiveCommand } from './cli/receive.ts';
import { addSendCommand } from './cli/send.ts';
import { addLogOptions, refuseLaterCommands } from './cli/shared.ts';
import { ExitStatus } from './io.ts';
import { version } from './version.ts';

function makeProgram(): Command {
  const program = new Command('mirrortap')
    .description(
      'Receives AWS VPC Traffic Mirroring, separates it by VNI, and keeps it in files that Wireshark opens.',
    )
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  mirrortap decap mirrored.pcap --out decapsulated');
  addLogOptions(program);
  addReceiveCommand(program);
  addDecapCommand(program);
  addSendCommand(program);
  addLabCommand(program);
  addExplainCommand(program);
  addDoctorCommand(program);
  addConfigCommand(program);
  refuseLaterCommands(program);
  return program;
}

/** Reads the command line and does what it says; the exit status is in `process.exitCode`. */
export async function runCommandLine(): Promise<void> {
  process.stdout.on('error', endWithOutput);
  // a log that nobody reads any more must not end what it tells about
  process.stderr.on('error', () => {});
  try {
    await makeProgram().parseAsync(spellOutDecap(process.argv));
  } catch (error) {
    failWith(error);
  }
}

/** Whoever reads the output may stop reading: that ends the output, and is no error. All else is one, as a full disk. */
function endWithOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? ExitStatus.done);
  process.stderr.write(`error: Standard output cannot be written: ${error.message}.\n`);
  process.exit(ExitStatus.failed);
}
