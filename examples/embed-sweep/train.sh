awk -v rate="$STACKRUN_PARAM_RATE" 'BEGIN {
    for (w = 0; step < 20; step++) w -= rate * 2 * (w - 3)
    loss = (w - 3) ^ 2
    if (loss > 100) { print "diverged: the loss is " loss; exit 1 }
    printf "loss=%.6f\n", loss > ENVIRON["STACKRUN_METRICS"]
}'
