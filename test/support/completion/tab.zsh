# zsh -f tab.zsh SHELL SETUP LINE...: types each line and Tab into an interactive zsh or bash, and prints what that
# one has for matches: "== LINE", then a match on each line.
zmodload zsh/zpty
send() { zpty -w inner "$1" }
case $1 in
zsh)
    zpty -b inner zsh -f -i
    send "PROMPT=; RPROMPT=; LISTMAX=9999; stty columns 2000; $2"
    # -O, -A and -D only ask what would match.
    send 'compadd() {
        if [[ " $* " != *" -"[OAD]" "* ]]; then
            local -a found
            builtin compadd -O found "$@"
            print -rl -- "<"${^found}">"
        fi
        builtin compadd "$@"
    }'
    send 'finish() { print "<END>"; BUFFER= }; zle -N finish; bindkey "^I" complete-word "^X" finish; print REA"DY"'
    ;;
bash)
    zpty -b inner bash --norc --noprofile -i
    send "PS1=; stty columns 2000; $2"
    send 'wrapped() { _stackrun "$@"; for word in "${COMPREPLY[@]}"; do printf "<%s>\n" "$word"; done; }'
    send 'complete -o filenames -F wrapped stackrun; finish() { echo "<END>"; READLINE_LINE=; }'
    send 'bind "set completion-query-items 0"; bind -x "\"\C-x\": finish"; echo REA"DY"'
    ;;
esac
zpty -r inner output '*READY*'
for line in "${@:3}"; do
    zpty -w -n inner "$line"$'\t\x18'
    zpty -r inner output '*<END>*'
    print -r -- "== $line"
    print -r -- "$output" | sed -n '/<END>/d; s/.*<\([^>]*\)>.*/\1/p'
done
zpty -d inner
