/**
 * The programs of runs put together from several data points. `points` are those of the pool, whose cached runs are looked up by
 * `rows`: one of them for each example.
 */
import { attentionPattern, normalise, rotate, type Arithmetic } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { B, POS } from './dims.js';

const POINTS = 'points';

const rows = (): Value => p.input('rows', [B], 'int');
const streamHere = (name: string, { config }: Arithmetic): Value => p.input(name, [1, B, POS, config.dModel]);
const headHere = (name: string, { config }: Arithmetic): Value => p.input(name, [1, B, POS, config.dHead]);

/** A stream of the pool [1, points, pos, d], of each example's row. */
const pickedStream = ({ config }: Arithmetic): Value =>
  p.gather(p.input('pool', [1, POINTS, POS, config.dModel]), rows(), 1);

/** One head's values of the pool [1, points, heads, pos, dHead], of each example's row: [1, examples, pos, dHead]. */
function pickedHead({ config }: Arithmetic): Value {
  const pool = p.input('pool', [1, POINTS, config.nHeads, POS, config.dHead]);
  const own = p.gather(pool, p.input('head', [1], 'int'), 2); // [1, points, 1, pos, dHead]
  return p.reshape(p.gather(own, rows(), 1), [1, B, POS, config.dHead]);
}

export const pickStream = (arithmetic: Arithmetic): Program =>
  p.makeProgram('pickStream', { picked: pickedStream(arithmetic) });

export const pickHead = (arithmetic: Arithmetic): Program =>
  p.makeProgram('pickHead', { picked: pickedHead(arithmetic) });

/** What one head's query (turned), key (turned) or value makes of a stream; `role` = role · nHeads + head. */
export function readHead(arithmetic: Arithmetic, variant: { turned: boolean }): Program {
  const { dModel, dHead, nHeads } = arithmetic.config;
  const role = p.input('role', [1], 'int');
  const weight = p.reshape(p.gather(p.parameter('qkv.byHead', [3 * nHeads, dModel, dHead]), role, 0), [dModel, dHead]);
  const bias = p.reshape(p.gather(p.parameter('qkv.byHead.bias', [3 * nHeads, dHead]), role, 0), [dHead]);
  const read = p.add(p.matmul(normalise(streamHere('x', arithmetic), 'ln1', arithmetic), weight), bias);
  return p.makeProgram('readHead', { read: variant.turned ? rotate(read, arithmetic) : read });
}

/** One head's q, k, v → its z. */
export function attendHead(arithmetic: Arithmetic): Program {
  const pattern = attentionPattern(headHere('q', arithmetic), headHere('k', arithmetic), arithmetic);
  return p.makeProgram('attendHead', { z: p.matmul(pattern, headHere('v', arithmetic)) });
}

/** 1 at the positions where a reader is given what a sender says. */
const mask = (): Value => p.input('mask', [1, 1, POS, 1]);

/** x + mask · (what an embedding or an MLP says − what it says in the data point that x was read from). */
export function giveStream(arithmetic: Arithmetic): Program {
  const change = p.sub(streamHere('said', arithmetic), pickedStream(arithmetic));
  return p.makeProgram('giveStream', { x: p.add(streamHere('x', arithmetic), p.mul(mask(), change)) });
}

/** The same of a head, whose z is given. */
export function giveHead(arithmetic: Arithmetic): Program {
  const { dModel, dHead, nHeads } = arithmetic.config;
  const change = p.sub(headHere('said', arithmetic), pickedHead(arithmetic));
  const all = p.parameter('o.byHead', [nHeads, dHead, dModel]);
  const out = p.reshape(p.gather(all, p.input('head', [1], 'int'), 0), [dHead, dModel]);
  return p.makeProgram('giveHead', {
    x: p.add(streamHere('x', arithmetic), p.mul(mask(), p.matmul(change, out))),
  });
}
