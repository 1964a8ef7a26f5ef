// The programs of a busybox image by name, sh among them. The network's applets are in net/.

import type { Program } from '../../posix/process.js'
import { sh } from '../sh.js'
import { awk } from './awk.js'
import { cmp, diff } from './compare.js'
import { cp, install } from './copy.js'
import { date } from './date.js'
import { dd } from './dd.js'
import { df } from './df.js'
import { cksum, gzip, md5sum, sha1sum, sha224sum, sha256sum, sha384sum, sha512sum } from './digests.js'
import { base32, base64 } from './encodings.js'
import { cut, uniq } from './fields.js'
import { mkdir, mv, rm, rmdir, touch, truncate } from './files.js'
import { cat, head, rev, tac, tail, tee, wc, yes } from './filters.js'
import { find } from './find.js'
import { grep } from './grep.js'
import { du, mktemp, strings } from './inspection.js'
import { dmesg, mount, sysctl } from './kernel.js'
import { link, ln, readlink, unlink } from './links.js'
import { ls } from './ls.js'
import type { Programs, TEXT_APPLETS } from './names.js'
import { netApplets } from './net/index.js'
import { nl } from './nl.js'
import { od } from './od.js'
import { clear, echo, expr, fail, printf, succeed, test } from './output.js'
import { paste } from './paste.js'
import { basename, dirname } from './path-names.js'
import { chmod, chown } from './permissions.js'
import { pgrep, pidof, pkill, uptime } from './processes.js'
import { plainly, time, timeout } from './run.js'
import { less } from './screen/less.js'
import { more } from './screen/more.js'
import { reset, tput } from './screen/terminal-words.js'
import { free, top } from './screen/top.js'
import { watch } from './screen/watch.js'
import { sed } from './sed.js'
import { factor, seq } from './seq.js'
import { sort } from './sort.js'
import { comm, join } from './sorted-files.js'
import { fold, split } from './split.js'
import { stat } from './stat.js'
import {
  arch,
  env,
  groups,
  hostname,
  id,
  kill,
  killall,
  nproc,
  printenv,
  ps,
  pwd,
  sleep,
  stty,
  tty,
  uname,
  which,
  whoami,
} from './system.js'
import { column, shuf } from './tables.js'
import { expand } from './tabs.js'
import { tar } from './tar.js'
import { tr } from './tr.js'
import { xargs } from './xargs.js'
import { hexdump, xxd } from './xxd.js'

/** Everything that needs no network of its own. */
export const textApplets: ReadonlyMap<string, Program> = new Map(
  Object.entries({
    sh,
    ash: sh,
    bash: sh,
    awk,
    split,
    shuf,
    join,
    fold,
    comm,
    column,
    truncate,
    realpath: readlink,
    readlink,
    chmod,
    chgrp: chown,
    chown,
    install,
    link,
    ln,
    unlink,
    arch,
    base32,
    base64,
    cksum,
    dd,
    expand,
    unexpand: expand,
    factor,
    groups,
    nproc,
    sha224sum,
    sha384sum,
    sync: succeed,
    sysctl,
    tput,
    tty,
    xxd,
    hd: hexdump,
    basename,
    cat,
    clear,
    cmp,
    cp,
    cut,
    date,
    diff,
    dirname,
    df,
    dmesg,
    du,
    echo,
    egrep: grep,
    env,
    expr,
    false: fail,
    fgrep: grep,
    find,
    free,
    grep,
    gunzip: gzip,
    gzip,
    head,
    hexdump,
    hostname,
    id,
    kill,
    killall,
    less,
    ls,
    md5sum,
    mkdir,
    mktemp,
    more,
    mount,
    mv,
    nice: plainly,
    nl,
    nohup: plainly,
    od,
    paste,
    pgrep,
    pidof,
    pkill,
    printenv,
    printf,
    ps,
    pwd,
    reset,
    rev,
    rm,
    rmdir,
    sed,
    seq,
    setsid: plainly,
    sha1sum,
    sha256sum,
    sha512sum,
    sleep,
    sort,
    stat,
    strings,
    stty,
    tac,
    tail,
    tar,
    tee,
    test,
    '[': test,
    time,
    timeout,
    top,
    touch,
    tr,
    true: succeed,
    uname,
    uniq,
    uptime,
    watch,
    wc,
    which,
    whoami,
    xargs,
    yes,
    zcat: gzip,
  } satisfies Programs<typeof TEXT_APPLETS, Program>),
)

/** All programs of the shell's world. */
export const applets: ReadonlyMap<string, Program> = new Map([...textApplets, ...netApplets])
