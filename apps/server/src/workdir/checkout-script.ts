/**
 * Runs inside the jail, since everything in a checkout, its git configuration too, is the agent's. Prints lines: `absent`
 * or `broken <why>` where the checkout must be made, else notes (`saved`, `unfinished`, `branch`, `detached`, `ahead`,
 * `forwarded`, `diverged`) and at last `head <sha>`. Work is never thrown away: it goes to refs below refs/claude-hooks/kept.
 */
export const prepareScript = `set -euo pipefail
branch=$1 wanted=$2 on_forge=$3 keep_unfinished=$4 stamp=$5 name=$6 email=$7
kept=refs/claude-hooks/kept/$stamp
broken() { echo "broken $1"; exit 0; }
if [ ! -d .git ]; then
  [ -z "$(ls -A)" ] || broken "it has files but no .git folder"
  echo absent; exit 0
fi
# A git that was killed leaves its locks, and nothing else runs in this checkout now.
find .git -name '*.lock' -not -path '.git/objects/*' -delete
git rev-parse --verify --quiet 'HEAD^{commit}' >/dev/null || broken "its HEAD names no commit"
git rev-list --quiet --max-count=1000 HEAD 2>/dev/null || broken "commits are missing"
git config user.name "$name" && git config user.email "$email" || broken "its configuration cannot be written"
changes=$(git status --porcelain -z 2>/dev/null | tr -cd '\\0' | wc -c) || broken "git status fails"
on=$(git symbolic-ref --quiet --short HEAD) || on="no branch"
save_changes() {
  # Of a repository within the repository only the commit's name would be saved.
  git add -A && [ "$(git diff --cached --raw HEAD | grep -c '^:[0-7]* 160000')" = 0 ] &&
    tree=$(git write-tree) && commit=$(git commit-tree "$tree" -p HEAD -m "Uncommitted changes") &&
    git update-ref "$kept-changes" "$commit" && git reset --quiet --hard && git clean -ffdq &&
    echo "saved $changes $kept-changes"
}
if [ "$changes" -gt 0 ]; then
  if [ "$keep_unfinished" = 1 ] && [ "$on" = "$branch" ]; then echo "unfinished $changes"
  else save_changes || broken "its changes cannot be saved on a ref"; fi
fi
rm -rf .git/rebase-merge .git/rebase-apply
if [ "$on" != "$branch" ]; then
  if [ "$on" = "no branch" ]; then git update-ref "$kept-detached" HEAD; echo "detached $kept-detached"
  else echo "branch $on"; fi
  if git show-ref --verify --quiet "refs/heads/$branch"; then git checkout --quiet "$branch" --
  else git checkout --quiet -b "$branch" "$wanted" --; fi || broken "its branch cannot be checked out"
fi
ancestor() { git merge-base --is-ancestor "$1" "$2"; }
head=$(git rev-parse HEAD)
if [ "$head" != "$wanted" ]; then
  if ancestor "$wanted" HEAD; then echo "ahead $(git rev-list --count "$wanted..HEAD")"
  elif ancestor HEAD "$wanted"; then
    git merge --quiet --ff-only "$wanted" >/dev/null 2>&1 ||
      { save_changes && git merge --quiet --ff-only "$wanted" >/dev/null; } || broken "it cannot be brought up to the forge's branch"
    echo "forwarded $(git rev-list --count "$head..HEAD")"
  elif [ "$on_forge" = 0 ]; then echo "ahead $(git rev-list --count "$wanted..HEAD")"
  else
    [ -z "$(git status --porcelain)" ] || save_changes || broken "its changes cannot be saved on a ref"
    echo "diverged $(git rev-list --count "$wanted..HEAD") $kept-commits"
    git update-ref "$kept-commits" HEAD && git reset --quiet --hard "$wanted" || broken "it cannot be reset"
  fi
fi
git fetch --quiet --prune --no-tags /mirror.git '+refs/heads/*:refs/remotes/origin/*' 2>/dev/null || true
echo "head $(git rev-parse HEAD)"
`;

/** Inside the jail, in an empty folder: a clone that borrows the objects of the read-only mirror. */
export const cloneScript = `set -euo pipefail
branch=$1 wanted=$2 name=$3 email=$4
git clone --quiet --shared --no-checkout --no-tags /mirror.git . 2> >(grep -v 'remote HEAD refers to nonexistent ref' >&2)
git config user.name "$name"
git config user.email "$email"
git checkout --quiet --no-track -B "$branch" "$wanted" --
echo "head $(git rev-parse HEAD)"
`;

/** Inside the jail: what the agent left. Prints `head <sha>` or `none`, `on <branch>`, and `change <status> <path>` lines. */
export const inspectScript = `set -uo pipefail
branch=$1
if head=$(git rev-parse --verify --quiet "refs/heads/$branch^{commit}"); then echo "head $head"; else echo none; fi
echo "on $(git symbolic-ref --quiet --short HEAD || echo 'no branch')"
git status --porcelain --untracked-files=normal 2>/dev/null | head -n 200 | sed 's/^/change /'
exit 0
`;
