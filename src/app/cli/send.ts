import type { Command } from 'commander';
import type { SendOptions } from '../send/options.ts';
import { commandIo, makeCommand, reportOption } from './shared.ts';

export function addSendCommand(program: Command): void {
  const command = makeCommand(
    'send',
    'The source side: mirrors the frames of a capture file to a target, as AWS does from a network interface.',
    'mirrortap send --from traffic.pcapng --to 127.0.0.1 --vni 42 --packet-length 128',
  )
    .option('--from <file>', 'capture file of what the mirrored interface saw; - for standard input')
    .option('--to <host[:port]>', 'target; port 4789, or 6081 with --gwlb')
    .option('--vni <n>', 'VXLAN network identifier of the session, 0..16777215')
    .option('--packet-length <n>', 'bytes kept of each frame, 1..8500 (default: all)')
    .option(
      '--gwlb [endpoint]',
      'as through a Gateway Load Balancer endpoint: GENEVE around it, with the AWS options',
    )
    .option('--rate <rate>', "realtime (the capture's own times), max, or packets a second", 'realtime')
    .option('--loop <n>', 'how often the file is sent; 0: until stopped', '1')
    .option('-c, --config <file>', 'sources, targets, filters and sessions: not in this version')
    .addOption(reportOption());
  command.action(async (options: SendOptions) => {
    const { runSend } = await import('../send/command.ts');
    process.exitCode = await runSend(options, commandIo(command));
  });
  program.addCommand(command);
}
