// The programs of a busybox image by name, sh among them. The network's applets are in net/.

import type { Program } from '../../posix/process.js'
import { sh } from '../sh.js'
import { awk } from './awk.js'
import { date } from './date.js'
import { base64, hexdump } from './encodings.js'
import { cut, paste, sort, uniq } from './fields.js'
import { cp, mkdir, mv, rm, rmdir, touch } from './files.js'
import { cat, head, nl, rev, tac, tail, tee, tr, wc, yes } from './filters.js'
import { find } from './find.js'
import { grep } from './grep.js'
import { ls, stat } from './ls.js'
import { netApplets } from './net/index.js'
import { basename, clear, dirname, echo, expr, fail, printf, seq, succeed, test } from './output.js'
import { plainly, time, timeout, watch, xargs } from './run.js'
import { sed } from './sed.js'
import {
  env,
  hostname,
  id,
  kill,
  killall,
  printenv,
  ps,
  pwd,
  sleep,
  stty,
  uname,
  which,
  whoami,
} from './system.js'
import { tar } from './tar.js'

/** Everything that needs no network of its own. */
export const textApplets: ReadonlyMap<string, Program> = new Map(
  Object.entries({
    sh,
    ash: sh,
    bash: sh,
    awk,
    base64,
    basename,
    cat,
    clear,
    cp,
    cut,
    date,
    dirname,
    echo,
    egrep: grep,
    env,
    expr,
    false: fail,
    fgrep: grep,
    find,
    grep,
    head,
    hexdump,
    hostname,
    id,
    kill,
    killall,
    ls,
    mkdir,
    mv,
    nice: plainly,
    nl,
    nohup: plainly,
    paste,
    printenv,
    printf,
    ps,
    pwd,
    rev,
    rm,
    rmdir,
    sed,
    seq,
    setsid: plainly,
    sleep,
    sort,
    stat,
    stty,
    tac,
    tail,
    tar,
    tee,
    test,
    '[': test,
    time,
    timeout,
    touch,
    tr,
    true: succeed,
    uname,
    uniq,
    watch,
    wc,
    which,
    whoami,
    xargs,
    yes,
  }),
)

/** All programs of the shell's world. */
export const applets: ReadonlyMap<string, Program> = new Map([...textApplets, ...netApplets])
