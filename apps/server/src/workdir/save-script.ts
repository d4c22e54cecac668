/**
 * Inside the jail: gathers everything of the checkout that no branch of the forge has (commits of every branch, tag,
 * stash and kept ref, and the changes that are not committed; ignored files not) under one commit, on
 * refs/claude-hooks/saving, whose message says what is what. Prints `nothing`, or `whole <why not>` where the folder itself
 * must be kept, or `saving <commit> <changes> <commits>`.
 */
export const saveScript = `set -uo pipefail
export GIT_AUTHOR_NAME=claude-hooks GIT_AUTHOR_EMAIL=claude-hooks@localhost
export GIT_COMMITTER_NAME=claude-hooks GIT_COMMITTER_EMAIL=claude-hooks@localhost
git() { command git -c core.fsmonitor=false -c core.untrackedCache=false -c core.hooksPath=/dev/null -c commit.gpgSign=false "$@"; }
whole() { echo "whole $1"; exit 0; }
if [ ! -d .git ]; then
  [ -z "$(ls -A)" ] || whole "it has files but no .git folder"
  echo nothing; exit 0
fi
find .git -name '*.lock' -not -path '.git/objects/*' -delete
head=$(git rev-parse --verify --quiet 'HEAD^{commit}') || whole "its HEAD names no commit"
# An index of its own: flags in the checkout's one can hide changes, and ignored files that were added are only in it.
export GIT_INDEX_FILE=$PWD/.git/claude-hooks-saving
rm -f "$GIT_INDEX_FILE"
git read-tree HEAD && git add -A 2>/dev/null || whole "its changes cannot be added"
comm -z -13 <(git ls-files -z | sort -zu) <(GIT_INDEX_FILE=$PWD/.git/index git ls-files -z | sort -zu) |
  while IFS= read -r -d '' file; do if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\\0' "$file"; fi; done |
  GIT_LITERAL_PATHSPECS=1 git add --force --pathspec-from-file=- --pathspec-file-nul 2>/dev/null || whole "its changes cannot be added"
while IFS= read -r -d '' entry; do
  path=\${entry#*$'\\t'}
  [ -z "$(ls -A -- "$path" 2>/dev/null)" ] || whole "there is a repository of its own in it"
done < <(git ls-files --stage -z | grep -z '^160000 ')
tree=$(git write-tree) || whole "its changes cannot be written"
changes=$(git diff-index --cached --name-only -z HEAD | tr -cd '\\0' | wc -c)
rm -f "$GIT_INDEX_FILE"
unset GIT_INDEX_FILE
forge=$(command git --git-dir=/mirror.git for-each-ref --format='^%(objectname)' refs/heads)
for published; do ! git cat-file -e "$published^{commit}" 2>/dev/null || forge+=$'\\n'"^$published"; done
parents=() said=$'Work that was not on the forge\\n\\n'
is_parent() { local one; for one in "\${parents[@]}"; do [ "$one" != "$1" ] || return 0; done; return 1; }
note() { is_parent "$2" || parents+=("$2"); said+="$1 $2"$'\\n'; }
take() {
  local sha unseen
  sha=$(git rev-parse --verify --quiet "$2^{commit}") || return 0
  unseen=$(git rev-list --max-count=1 --stdin <<< "$sha"$'\\n'"$forge" 2>/dev/null) || whole "commits are missing"
  [ -z "$unseen" ] || note "$1" "$sha"
}
on=$(git symbolic-ref --quiet HEAD) || { on=none; take detached HEAD; }
while read -r ref; do take "ref $ref" "$ref"; done < <(git for-each-ref --format='%(refname)' refs/heads refs/tags refs/claude-hooks/kept)
while read -r stash; do take "ref refs/claude-hooks/kept/stash-$stash" "$stash"; done < <(git stash list --format=%H 2>/dev/null)
commits=0
[ \${#parents[@]} -eq 0 ] || commits=$(printf '%s\\n' "\${parents[@]}" "$forge" | git rev-list --count --stdin) || whole "commits are missing"
if [ "$changes" -gt 0 ]; then
  commit=$(git commit-tree "$tree" -p HEAD -m "Uncommitted changes") || whole "its changes cannot be written"
  note "changes $on $changes" "$commit"
fi
if [ \${#parents[@]} -eq 0 ]; then echo nothing; exit 0; fi
saving=$(git commit-tree "$tree" $(printf -- '-p %s ' "\${parents[@]}") -F - <<< "$said") || whole "its work cannot be gathered"
git update-ref refs/claude-hooks/saving "$saving" || whole "its work cannot be gathered"
echo "saving $saving $changes $commits"
`;

/** Inside the jail: what the script above gathered, without what the mirror has. */
export const bundleScript = `set -uo pipefail
command git --git-dir=/mirror.git for-each-ref --format='^%(objectname)' |
  git bundle create --quiet - refs/claude-hooks/saving --stdin
`;

/**
 * Inside the jail, in a checkout on its branch: puts back what was saved, once, and loses nothing that is there. Prints
 * `ahead`, `commits`, `branch`, `detached`, `changes`, `aside` lines and at last `head <sha>`, or `unknown` where the
 * commit cannot be read.
 */
export const restoreScript = `set -uo pipefail
commit=$1 branch=$2 on_forge=$3 put_changes=$4 stamp=$5
kept=refs/claude-hooks/kept/$stamp done=refs/claude-hooks/restored/$stamp
git() { command git -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
finish() { echo "head $(git rev-parse HEAD)"; exit 0; }
git cat-file -e "$commit^{commit}" 2>/dev/null || { echo unknown; exit 0; }
if git show-ref --verify --quiet "$done"; then finish; fi
ancestor() { git merge-base --is-ancestor "$1" "$2"; }
clean() { [ -z "$(git status --porcelain --untracked-files=all)" ]; }
own() {
  local head; head=$(git rev-parse HEAD)
  if ancestor "$1" HEAD; then return 0; fi
  if clean && { ancestor HEAD "$1" || [ "$on_forge" = 0 ]; }; then
    git reset --quiet --hard "$1" && echo "ahead $(git rev-list --count "$head..HEAD")" && return 0
  fi
  git update-ref "$kept-commits" "$1" && echo "commits $(git rev-list --count "HEAD..$1") $kept-commits"
}
other() {
  if git show-ref --verify --quiet "$1"; then
    [ "$(git rev-parse "$1^{commit}")" = "$2" ] && return 0
    git update-ref "$kept-\${1##*/}" "$2" && echo "branch $1 $kept-\${1##*/}"
    return
  fi
  git update-ref "$1" "$2" && case $1 in refs/claude-hooks/*) ;; *) echo "branch $1 $1" ;; esac
}
put() {
  if [ "$put_changes" = 1 ] && [ "$1" = "refs/heads/$branch" ] && clean; then
    if git cherry-pick --no-commit "$3" >/dev/null 2>&1; then git reset --quiet; echo "changes $2"; return; fi
    git reset --quiet --hard
  fi
  git update-ref "$kept-changes" "$3" && echo "aside $2 $kept-changes"
}
said=$(git log -1 --format=%B "$commit")
while read -r kind a b c; do
  case $kind in
    ref) if [ "$a" = "refs/heads/$branch" ]; then own "$b"; else other "$a" "$b"; fi ;;
    detached) git update-ref "$kept-detached" "$a" && echo "detached $kept-detached" ;;
    changes) put "$a" "$b" "$c" ;;
    *) true ;;
  esac || { echo failed; exit 1; }
done <<< "$said"
git update-ref "$done" "$commit"
finish
`;
