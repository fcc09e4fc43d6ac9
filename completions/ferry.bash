# SPDX-License-Identifier: Apache-2.0
# bash completion of ferry(1). The tests compare the words below with `ferry --help`.

_ferry_kinds="vmi vmim node namespace event kubevirt migrationpolicy network evacuation user all"
_ferry_global="--kubeconfig --server --namespace -n --color --help -h"

# The migration flags, and those of them that take a value: by build/src/policy/flags-doc words and values.
_ferry_flags="--live --no-live --p2p --no-p2p --tunnelled --no-tunnelled --offline --suspend --persistent --no-persistent --undefinesource --no-undefinesource --change-protection --unsafe --no-unsafe --abort-on-error --no-abort-on-error --auto-converge --no-auto-converge --auto-converge-initial --auto-converge-increment --post-copy --postcopy --no-post-copy --postcopy-bandwidth --postcopy-resume --available-switchover-bandwidth --bandwidth --tls --no-tls --tls-destination --parallel --no-parallel --parallel-connections --zerocopy --no-zerocopy --rdma-pin-all --no-rdma-pin-all --migrateuri --listen-address --graphicsuri --compressed --no-compressed --comp-methods --comp-mt-level --comp-mt-threads --comp-mt-dthreads --comp-xbzrle-cache --comp-zlib-level --comp-zstd-level --copy-storage-all --no-copy-storage-all --copy-storage-inc --no-copy-storage-inc --copy-storage-synchronous-writes --no-copy-storage-synchronous-writes --migrate-disks --migrate-disks-detect-zeroes --disks-port --disks-uri --dname --xml --persistent-xml"
_ferry_flag_values="--auto-converge-initial --auto-converge-increment --postcopy-bandwidth --available-switchover-bandwidth --bandwidth --tls-destination --parallel-connections --migrateuri --listen-address --graphicsuri --comp-methods --comp-mt-level --comp-mt-threads --comp-mt-dthreads --comp-xbzrle-cache --comp-zlib-level --comp-zstd-level --migrate-disks --migrate-disks-detect-zeroes --disks-port --disks-uri --dname --xml --persistent-xml"

# The options of each verb, beside the global ones.
_ferry_options_of() {
  case $1 in
  get) echo "--output -o --all-namespaces -A --selector -l --watch -w --no-headers" ;;
  describe) echo "--all-namespaces -A --selector -l" ;;
  apply | create) echo "--filename -f --dry-run --output -o" ;;
  delete) echo "--filename -f --selector -l --dry-run --no-wait --timeout --ignore-not-found --force" ;;
  label | annotate) echo "--overwrite --selector -l --dry-run --output -o" ;;
  migrate) echo "--to --network --policy --preset --max-downtime $_ferry_flags --no-wait --detach --output -o" ;;
  check) echo "--to --network --policy --preset --max-downtime $_ferry_flags --output -o" ;;
  forecast) echo "--to --network --policy --preset --max-downtime --output -o" ;;
  explain) echo "--output -o" ;;
  change) echo "--downtime --bandwidth --technique --stalling-limit --reason --no-wait --output -o" ;;
  cancel | drain) echo "--no-wait --output -o" ;;
  events) echo "--for --output -o --all-namespaces -A --watch -w --no-headers" ;;
  top) echo "--no-headers" ;;
  version) echo "--output -o --client" ;;
  kubeconfig) echo "--state-dir --path" ;;
  user) echo "--role --group --expires --certificate --credential --grace --output -o" ;;
  esac
}

_ferry_verbs="get describe apply create delete label annotate migrate check forecast cancel change explain drain undrain events top version kubeconfig user"

# Names of objects, by the options typed so far that say which server and namespace.
_ferry_names() {
  local i args=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    -n | --namespace | --kubeconfig | --server)
      args+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
      ;;
    esac
  done
  timeout 2 ferry get "$1" -o name "${args[@]}" 2>/dev/null | sed 's,.*/,,'
}

# The words typed after the verb that are no options.
_ferry_scan() {
  local i word skip=
  verb= words=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $skip ]]; then
      skip=
      continue
    fi
    if [[ " $_ferry_flag_values " == *" $word "* ]]; then
      skip=1
      continue
    fi
    case $word in
    --kubeconfig | --server | --namespace | -n | --color | --output | -o | --selector | -l | \
      --filename | -f | --to | --network | --policy | --preset | --max-downtime | --for | --state-dir | \
      --downtime | --technique | --stalling-limit | --reason | --role | --group | --expires | --credential | --grace | --timeout)
      skip=1
      ;;
    -*) ;;
    *) if [[ $verb ]]; then words+=("$word"); else verb=$word; fi ;;
    esac
  done
}

_ferry() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb words
  COMPREPLY=()
  _ferry_scan
  local offer=
  case $prev in
  --kubeconfig | --filename | -f | --xml | --persistent-xml)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  --state-dir)
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    return
    ;;
  --color) offer="auto always never" ;;
  --output | -o)
    case $verb in
    get | events) offer="json yaml wide name table" ;;
    apply | create | label | annotate) offer="json yaml name" ;;
    *) offer="json yaml" ;;
    esac
    ;;
  --namespace | -n) offer=$(_ferry_names namespace) ;;
  --to) offer=$(_ferry_names node) ;;
  --policy | --preset) offer=$(_ferry_names migrationpolicies) ;;
  --network) offer=$(_ferry_names network) ;;
  --technique) offer="pre-copy post-copy" ;;
  --role) offer="view operate edit admin cluster-admin" ;;
  --comp-methods) offer="xbzrle mt zlib zstd" ;;
  --server | --selector | -l | --max-downtime | --for | --downtime | --stalling-limit | --reason | \
    --group | --expires | --credential | --grace | --timeout) return ;;
  *)
    [[ " $_ferry_flag_values " == *" $prev "* ]] && return
    if [[ $cur == -* ]]; then
      offer="$_ferry_global $(_ferry_options_of "$verb")"
      [[ $verb ]] || offer="$offer --version"
    elif [[ ! $verb ]]; then
      offer="$_ferry_verbs help"
    else
      case $verb in
      help) offer=$_ferry_verbs ;;
      drain | undrain) ((${#words[@]})) || offer=$(_ferry_names node) ;;
      migrate | check | forecast | cancel | change | explain) ((${#words[@]})) || offer=$(_ferry_names vmi) ;;
      get | describe | delete | label | annotate)
        if ((${#words[@]})); then offer=$(_ferry_names "${words[0]}"); else offer=$_ferry_kinds; fi
        ;;
      create) ((${#words[@]})) || offer=namespace ;;
      user)
        case ${words[0]} in
        "") offer="create list revoke rotate" ;;
        revoke | rotate) offer=$(_ferry_names user) ;;
        esac
        ;;
      esac
    fi
    ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$cur")
}

complete -F _ferry ferry
