import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asTheveninError, describeFailure } from '../../src/cli/failure.js';
import { TheveninError } from '../../src/errors.js';

const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('failures on the command line', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'thevenin-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('keeps a refusal as it is', () => {
    const refusal = new TheveninError('file/missing', 'x: no such file');
    expect(asTheveninError(refusal)).to.equal(refusal);
    expect(describeFailure(refusal, false)).to.equal('thevenin: x: no such file [file/missing]');
  });

  it('names the path of a file-system error that nobody refused', () => {
    const path = join(folder, 'absent.json');
    const missing = asTheveninError(thrownBy(() => readFileSync(path)));
    expect(missing).to.include({ code: 'file/missing', exit: 2, message: `${path}: no such file or folder` });
    const directory = asTheveninError(thrownBy(() => readFileSync(folder)));
    expect(directory).to.include({ code: 'file/unreadable', exit: 2 });
  });

  it('takes a full disk for a fault of the machine', () => {
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write', path: 'out/report.json' });
    expect(asTheveninError(full)).to.include({
      code: 'file/unwritable',
      exit: 1,
      message: 'out/report.json: the disk is full',
    });
  });

  it('tells a folder that cannot be written from a file that cannot be read', () => {
    const denied = (syscall: string) => Object.assign(new Error('EACCES'), { code: 'EACCES', syscall, path: 'p' });
    expect(asTheveninError(denied('mkdir')).code).to.equal('file/unwritable');
    expect(asTheveninError(denied('open')).code).to.equal('file/unreadable');
  });

  it('takes whatever else is thrown for a bug, in one line, with the stack only when asked for', () => {
    const bug = asTheveninError(new TypeError('x is not\n  a function'));
    expect(bug).to.include({ code: 'fault/internal', exit: 1 });
    expect(describeFailure(bug, false)).to.equal('thevenin: x is not a function [fault/internal]');
    expect(describeFailure(bug, true)).to.match(/^thevenin: .*\n(.*\n)*caused by TypeError: x is not\n.*\n\s+at /);
    expect(asTheveninError('a string').message).to.equal('a string');
  });
});
