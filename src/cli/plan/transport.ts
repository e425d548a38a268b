import { planDemand } from '../../plan/demand/demand.ts';
import { measuredOf } from '../../plan/measured.ts';
import { planTransport } from '../../plan/transport/transport.ts';
import { prettyJson } from '../../report/json.ts';
import { renderTransportText } from '../../report/plan/transport-text.ts';
import { defineAction, exitCode } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { planFlags } from './flags.ts';
import { readObservations } from './observations.ts';

export const transport = defineAction({
  about:
    'For each pair of sites with a requirement or a quote: which of dark fibre, managed fibre, spectrum, wavelength, Ethernet, VPLS, IP-VPN, ' +
    'Internet access, transit and cloud on-ramp keeps latency, bandwidth, availability, encryption and diversity, what it costs over the ' +
    'years from your quotes, and why each other one lost.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 1, max: 1 },
  flags: { observations: planFlags.observations, json: planFlags.json },
  examples: [
    { line: 'inferpath plan transport network.yaml', about: 'what to buy, and why not the rest' },
    {
      line: 'inferpath plan transport network.yaml --observations ping.json',
      about: 'with the round trips and rates of today that were measured',
    },
  ],
  async run({ flags, positionals: [file = ''], io }) {
    const network = await loadPlannedNetwork(file, io);
    const observations = await readObservations(flags.observations, io);
    const demand = planDemand(network, 0, observations);
    const plan = planTransport(network, demand, measuredOf(network, observations));
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(plan) : renderTransportText(plan, { columns, colors }));
    return plan.findings.some((f) => f.verdict === 'fail') ? exitCode.notReady : exitCode.ready;
  },
});
