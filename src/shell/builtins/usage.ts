// Options that builtins of bash do not have, and what it says then: the option, and how the builtin is used.

/** The letters of a builtin's options (with `:` behind those that take a value), and its usage. */
const USAGES: Readonly<Record<string, readonly [letters: string, usage: string]>> = {
  alias: ['p', 'alias [-p] [name[=value] ... ]'],
  cd: ['LPe@', 'cd [-L|[-P [-e]] [-@]] [dir]'],
  command: ['pVv', 'command [-pVv] command [arg ...]'],
  declare: [
    'aAfFgiIlnprtux',
    'declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]',
  ],
  exec: ['cla:', 'exec [-cl] [-a name] [command [argument ...]] [redirection ...]'],
  export: ['fnpaA', 'export [-fn] [name[=value] ...] or export -p'],
  fc: ['e:lnrs', 'fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]'],
  hash: ['lrp:dt', 'hash [-lr] [-p pathname] [-dt] [name ...]'],
  history: [
    'acd:nprsw',
    'history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]',
  ],
  jobs: ['lnprsx', 'jobs [-lnprs] [jobspec ...] or jobs -x command [args]'],
  pwd: ['LP', 'pwd [-LP]'],
  read: [
    'ersa:d:i:n:N:p:t:u:',
    'read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]',
  ],
  readonly: ['aAfp', 'readonly [-aAf] [name[=value] ...] or readonly -p'],
  set: ['abefhkmnopstuvxBCEHPTrc', 'set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]'],
  trap: ['lp', 'trap [-lp] [[arg] signal_spec ...]'],
  type: ['afptP', 'type [-afptP] name [name ...]'],
  ulimit: ['SHabcdefiklmnpqrstuvxPRT', 'ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]'],
  umask: ['pS', 'umask [-p] [-S] [mode]'],
  unalias: ['a', 'unalias [-a] name [name ...]'],
  unset: ['fvn', 'unset [-f] [-v] [-n] [name ...]'],
  wait: ['fnp:', 'wait [-fn] [-p var] [id ...]'],
}

/** What bash says of the first option that builtin `name` does not have; undefined when it has them all. */
export function wrongOption(
  name: string,
  args: readonly string[],
): { option: string; usage: string } | undefined {
  const known = USAGES[name === 'typeset' || name === 'local' ? 'declare' : name]
  if (known === undefined) return undefined
  const [letters, usage] = known
  for (let at = 0; /^-[^-\d]/.test(args[at] ?? ''); at++) {
    const option = args[at]!
    for (let offset = 1; offset < option.length; offset++) {
      const place = letters.indexOf(option[offset]!)
      if (place < 0) return { option: `-${option[offset]}`, usage: usage.replace(/^declare/, name) }
      if (letters[place + 1] !== ':') continue
      // The rest is its value, or the next argument.
      if (offset === option.length - 1) at++
      break
    }
  }
  return undefined
}
